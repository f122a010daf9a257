"""Languages: what is known of each, and groups of them."""
