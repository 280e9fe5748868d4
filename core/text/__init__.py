"""How values are written for people: numbers, times, text from outside."""
