"""Teams and users: roles, permissions, sign-in, tokens, the audit."""
