"""One product over time: reads, statistics, charts."""
