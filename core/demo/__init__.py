"""The invented demo market, and a local server that offers it as Apify does."""
