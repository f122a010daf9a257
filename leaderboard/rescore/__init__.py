"""Metrics of stored Records, computed again from their predictions."""
