"""Reports: what changed, what is open, what it cost. Kept, frozen in a file, and as a feed."""
