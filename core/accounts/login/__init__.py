"""Signing in: password, two factors, single sign-on, throttling."""
