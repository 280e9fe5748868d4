"""The web server below the pages. Knows no users."""
