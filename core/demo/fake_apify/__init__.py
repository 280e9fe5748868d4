"""The fake Apify server: the part of Apify's REST API that the client uses."""
