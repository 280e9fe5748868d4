"""The screens and forms of signing in."""
