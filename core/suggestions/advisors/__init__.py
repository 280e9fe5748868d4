"""The rules advisor: proposes changes of a price, a listing or its tracking. Pure."""
