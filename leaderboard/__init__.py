"""From Records to a ranking with intervals, and its renderings."""
