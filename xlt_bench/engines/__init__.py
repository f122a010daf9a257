"""Engines: how cells are carried out. Each only maps `Runner.run` over packs of cells."""
