"""What a team approved or published for a field: suggestions write it, alerts read it."""
