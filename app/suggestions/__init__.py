"""Parts of the review queue and of one suggestion's page."""
