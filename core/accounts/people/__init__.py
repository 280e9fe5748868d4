"""People of a team: membership, profile, email, notices."""
