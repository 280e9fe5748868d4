"""A product's year by day, month and weekday, and how its price and rank go together."""
