"""What a board is made of: Records and published results, checked against each other and brought to the same items."""
