"""Studies: named plans kept as data, and how they are carried out. `leaderboard` makes their reports."""
