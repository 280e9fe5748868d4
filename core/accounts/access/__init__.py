"""Who may do what: permissions, sessions, tokens, audit."""
