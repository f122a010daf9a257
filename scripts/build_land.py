"""Make the outline of land on the leaderboard page's map: python -m scripts.build_land land-110m.json

The file is that of the npm package world-atlas 2.0.2 (`npm pack world-atlas@2.0.2`; ISC), TopoJSON of Natural Earth's
land at 1:110m (public domain). Its arcs are delta-encoded, a negative number ~k is arc k backwards (TopoJSON
specification, section 2.1.4). Rings that cross the 180th meridian are cut there; all are projected as the page projects
languages, rounded to tenths, and written as one SVG path of relative lines. Antarctica, where no language is, is left
out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from xlt_bench.leaderboard.render.page.projection import projected

OUTPUT = Path(__file__).parent.parent / "leaderboard" / "render" / "page" / "assets" / "land.txt"
SOUTHERNMOST = -60.0
"""Rings that reach further south are Antarctica's."""
DECIMALS = 1

Point = tuple[float, float]


def rings_of(topology: dict[str, Any]) -> Iterator[list[Point]]:
    """The closed rings of the topology's land, as longitude and latitude in degrees."""
    arcs = [_decoded(arc, topology["transform"]) for arc in topology["arcs"]]
    for geometry in topology["objects"]["land"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            for ring in polygon:
                yield from _cut(_unwrapped(_joined(ring, arcs)))


def path_of(rings: Iterator[list[Point]]) -> str:
    """One SVG path of all rings that are to be shown, each begun absolutely and drawn by relative lines."""
    unit = 10**DECIMALS
    parts = []
    for ring in rings:
        if min(latitude for _, latitude in ring) < SOUTHERNMOST:
            continue
        places = [projected(latitude, longitude) for longitude, latitude in ring]
        points = [(round(x * unit), round(y * unit)) for x, y in places]
        distinct = [points[0], *(end for start, end in pairwise(points) if end != start)]
        if len(distinct) > 3:
            steps = (_numbers((end[0] - start[0], end[1] - start[1]), unit) for start, end in pairwise(distinct[:-1]))
            parts.append(f"M{_numbers(distinct[0], unit)}l{' '.join(steps)}z")
    return "".join(parts)


def _decoded(arc: Sequence[Sequence[int]], transform: dict[str, Any]) -> list[Point]:
    (scale_x, scale_y), (shift_x, shift_y) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        points.append((x * scale_x + shift_x, y * scale_y + shift_y))
    return points


def _joined(numbers: Sequence[int], arcs: Sequence[list[Point]]) -> list[Point]:
    """Arcs end to end; where two meet, the shared point stands once."""
    ring: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += arc[1:] if ring else arc
    return ring


def _unwrapped(ring: Sequence[Point]) -> list[Point]:
    """Without jumps from one side of the map to the other: longitudes go on beyond 180 instead."""
    points = [ring[0]]
    for longitude, latitude in ring[1:]:
        turns = round((points[-1][0] - longitude) / 360)
        points.append((longitude + 360 * turns, latitude))
    return points


def _cut(ring: list[Point]) -> Iterator[list[Point]]:
    """The pieces of a ring on the map, each brought back between -180 and 180."""
    for turn in (-360.0, 0.0, 360.0):
        piece = [(longitude + turn, latitude) for longitude, latitude in ring]
        for side in (1, -1):
            piece = _clipped(piece, side)
        if piece:
            yield piece


def _clipped(ring: Sequence[Point], side: int) -> list[Point]:
    """What lies at side * longitude <= 180 (Sutherland & Hodgman 1974), closed."""
    points: list[Point] = []
    for start, end in pairwise(ring):
        distances = [180.0 - side * longitude for longitude, _ in (start, end)]
        if distances[0] >= 0:
            points.append(start)
        if (distances[0] >= 0) != (distances[1] >= 0):
            share = distances[0] / (distances[0] - distances[1])
            points.append((180.0 * side, start[1] + share * (end[1] - start[1])))
    return [*points, points[0]] if len(points) > 2 else []


def _numbers(point: tuple[int, int], unit: int) -> str:
    """A pair in few letters: `.5-3`."""
    x, y = (f"{value / unit:g}".replace("0.", ".", 1) if abs(value) < unit else f"{value / unit:g}" for value in point)
    return f"{x}{y}" if y.startswith("-") else f"{x} {y}"


def main() -> None:
    """Read the TopoJSON and write the path."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("topology", type=Path, help="land-110m.json of the npm package world-atlas 2.0.2")
    path = path_of(rings_of(json.loads(parser.parse_args().topology.read_text(encoding="utf-8"))))
    OUTPUT.write_text(f"{path}\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(path):,} letters")


if __name__ == "__main__":
    main()
