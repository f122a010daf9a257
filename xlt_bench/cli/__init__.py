"""The command line: `main.py` registers the commands; heavy imports wait until one runs."""
