"""The blocks of the screens for administrators: people, audit, agents."""
