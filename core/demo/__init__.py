"""The invented market and the local server that sells it as Apify would."""
