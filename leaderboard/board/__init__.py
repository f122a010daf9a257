"""The board itself: scores, intervals, ranks and letters, as plain data."""
