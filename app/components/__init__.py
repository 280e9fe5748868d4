"""Components that several screens share."""
