"""The blocks of the Health screen, a module each."""
