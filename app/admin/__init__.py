"""Parts of the pages for administrators: people, audit, agents."""
