"""Authentication of requests: sessions, cookies, single sign-on, limits for visitors."""
