"""What tests of several rooms use: toy data, Records and boards, plug-ins, and scripts for processes of their own."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""

SUPPORT = Path(__file__).parent
"""The folder of plug-ins and scripts that tests hand to `xlt-bench` or to Python by their path."""
