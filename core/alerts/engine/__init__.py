"""How what rules find becomes stored incidents: once, corrected, grouped and muted."""
