"""The Atom feed of a user: alerts and reports, by a token that can do nothing else."""
