"""Who held a product's Buy Box: periods, shares, and what is known of each change."""
