"""One product over time: reading, statistics, charts."""
