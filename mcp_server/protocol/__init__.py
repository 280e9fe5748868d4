"""Declaring, running and logging tools, resources and prompts."""
