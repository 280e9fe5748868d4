"""The Product screen's figures: lanes of events, price, Buy Box and rank; the range strip."""
