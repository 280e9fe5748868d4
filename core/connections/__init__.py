"""Connections to outside services that administrators enter: stored encrypted, tested, resolved."""
