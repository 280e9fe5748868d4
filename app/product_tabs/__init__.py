"""The tabs of the Product screen, a module each."""
