"""What tests are made of: products, observations, suggestions, users. No tests."""
