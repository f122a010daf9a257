"""Do intervals and tests hold what they promise? Simulated tables whose truth is known."""
