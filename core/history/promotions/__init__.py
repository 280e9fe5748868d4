"""When a product had deals and coupons, and how deep they were."""
