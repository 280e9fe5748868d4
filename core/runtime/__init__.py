"""Modules for every process: logging, host names, slow clients, garbage collection."""
