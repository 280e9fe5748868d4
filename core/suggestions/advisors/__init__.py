"""The rules advisor: when a price, a listing or its tracking deserves a change. Pure."""
