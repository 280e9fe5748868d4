"""Parts of the page that adds products."""
