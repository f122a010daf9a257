"""Everything about the package stands in pyproject.toml; this file only keeps `pip install -e .` quiet.

setuptools warns of every editable installation that maps folders into a package that a folder of the same name in the
working directory may be imported in its place. Here that folder *is* the package.
"""

import warnings

from setuptools import setup

warnings.filterwarnings("ignore", message="Editable installation")
setup()
