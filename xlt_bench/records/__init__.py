"""What a run leaves: its cell, its Record, the answers to single items, and the store that keeps them."""
