"""Lists of tracked products: filtered, sorted, searched, counted."""
