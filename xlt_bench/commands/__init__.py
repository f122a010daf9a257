"""Families of commands, one a module; `cli.py` registers them. Heavy imports wait until a command runs."""
