"""Who sends a request: sessions, cookies, single sign-on, limits for visitors."""
