"""The outline of the map: arcs of the topology, the cut at the 180th meridian, and that the shipped one is whole."""

from __future__ import annotations

import re
from itertools import pairwise

from scripts.build_land import OUTPUT, path_of, rings_of
from xlt_bench.leaderboard.render.page.projection import WIDTH


def topology(*rings: list[tuple[int, int]]) -> dict[str, object]:
    """One polygon a ring, each ring two arcs, the second one written backwards."""
    arcs, polygons = [], []
    for ring in rings:
        closed = [*ring, ring[0]]
        halves = [closed[:3], closed[2:][::-1]]
        polygons.append([[len(arcs), ~(len(arcs) + 1)]])
        arcs += [[half[0], *((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(half))] for half in halves]
    land = {"type": "GeometryCollection", "geometries": [{"type": "MultiPolygon", "arcs": polygons}]}
    return {"transform": {"scale": [0.5, 0.5], "translate": [-10, 0]}, "arcs": arcs, "objects": {"land": land}}


def test_arcs_are_joined() -> None:
    (ring,) = rings_of(topology([(0, 0), (20, 0), (20, 20), (0, 20)]))
    assert ring == [(-10, 0), (0, 0), (0, 10), (-10, 10), (-10, 0)]


def test_a_ring_over_the_meridian_is_cut_there() -> None:
    """From 175 east to 175 west, as the topology has it: with a jump from one side to the other."""
    pieces = list(rings_of(topology([(370, 0), (-330, 0), (-330, 20), (370, 20)])))
    assert len(pieces) == 2
    spans = sorted((min(x for x, _ in piece), max(x for x, _ in piece)) for piece in pieces)
    assert spans == [(-180, -175), (175, 180)]


def test_antarctica_is_left_out() -> None:
    assert path_of(iter([[(0.0, -80.0), (90.0, -70.0), (0.0, -70.0), (0.0, -80.0)]])) == ""


def test_the_shipped_outline() -> None:
    """Every line of it is short, so none crosses the map; it lies within the map."""
    path = OUTPUT.read_text(encoding="utf-8").strip()
    rings = path.removesuffix("z").split("z")
    assert len(rings) > 100
    for ring in rings:
        start, _, steps = ring.removeprefix("M").partition("l")
        x, y = (float(number) for number in re.findall(r"-?\d*\.?\d+", start))
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", steps)]
        assert len(numbers) % 2 == 0
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            assert abs(dx) < 60
            x, y = x + dx, y + dy
            assert -1 <= x <= WIDTH + 1
            assert -245 <= y <= 200
