"""Parts of one's own profile."""
