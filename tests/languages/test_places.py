"""Places of languages, and the projection that puts them on the page's map."""

from __future__ import annotations

from math import cos, pi, radians, sqrt

import pytest

from xlt_bench.languages.places import language_places
from xlt_bench.languages.table import known_languages
from xlt_bench.leaderboard.render.page.projection import WIDTH, projected


def test_every_language_of_the_table_has_a_place_but_one() -> None:
    assert set(known_languages()) - set(language_places()) == {"ile_Latn"}  # Glottolog gives Interlingue none


def test_places_are_where_the_languages_are() -> None:
    """Rough boxes, of areas that nobody disputes."""
    boxes = {
        "deu_Latn": (47, 55, 5, 15), "yor_Latn": (6, 11, 1, 8), "jpn_Jpan": (30, 46, 129, 146),
        "quy_Latn": (-17, -9, -78, -70), "mri_Latn": (-47, -34, 166, 179), "amh_Ethi": (7, 14, 34, 41),
    }  # fmt: skip
    for code, (south, north, west, east) in boxes.items():
        place = language_places()[code]
        assert south <= place.latitude <= north
        assert west <= place.longitude <= east
    areas = {"deu_Latn": "Eurasia", "yor_Latn": "Africa", "quy_Latn": "South America", "mri_Latn": "Papunesia"}
    assert {code: language_places()[code].macroarea for code in areas} == areas


def test_the_projection_shows_areas_in_proportion() -> None:
    """A small cell has the same area on the map as on the sphere, wherever it lies."""
    step = 1e-3
    expected = None
    for latitude in (-80, -45, -10, 0, 30, 60, 85):
        for longitude in (-170, 0, 90):
            x, y = projected(latitude, longitude)
            (x_north, y_north), (x_east, y_east) = (
                projected(latitude + step, longitude),
                projected(latitude, longitude + step),
            )
            area = abs((x_east - x) * (y_north - y) - (x_north - x) * (y_east - y))
            share = area / (radians(step) ** 2 * cos(radians(latitude)))
            expected = expected or share
            assert share == pytest.approx(expected, rel=1e-3)
    assert expected == pytest.approx((WIDTH * 1.340264 * sqrt(3) / 2 / (2 * pi)) ** 2, rel=1e-3)


def test_known_points_of_the_projection() -> None:
    """The poles' line is 0.59 of the equator, and the map 2.05 times as wide as high (Šavrič et al. 2019)."""
    assert projected(0, -180) == pytest.approx((0, 0), abs=1e-9)
    assert projected(0, 180) == pytest.approx((WIDTH, 0), abs=1e-9)
    (west, top), (east, _) = projected(90, -180), projected(90, 180)
    assert (east - west) / WIDTH == pytest.approx(0.59, abs=0.005)
    assert WIDTH / (-2 * top) == pytest.approx(2.05, abs=0.01)
