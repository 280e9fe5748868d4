"""The queue of products that need advice, and the advisors' answers."""
