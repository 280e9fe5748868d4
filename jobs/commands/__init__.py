"""The commands of `python -m jobs`."""
