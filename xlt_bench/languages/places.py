"""Where languages are: a point and a macroarea by code, from Glottolog."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple


class Place(NamedTuple):
    """A point within the area where a language is traditionally spoken, in degrees, and Glottolog's macroarea."""

    latitude: float
    longitude: float
    macroarea: str


@cache
def language_places() -> Mapping[str, Place]:
    """Code (`deu_Latn`) -> its place; what is not known is absent. Scripts and varieties of a language share theirs."""
    text = files("xlt_bench.languages").joinpath("places.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType(
        {
            row["code"]: Place(float(row["latitude"]), float(row["longitude"]), row["macroarea"])
            for row in csv.DictReader(lines)
        }
    )
