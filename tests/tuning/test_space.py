"""The space of a search: the same factors for every method, and what cannot be tuned."""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support import ROOT
from tests.support.plugins import write_tuned
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.plugins.methods import configure
from xlt_bench.recipe import PRESETS, Rate
from xlt_bench.runs.option_values import read_factors
from xlt_bench.runs.request import Request
from xlt_bench.tuning.search import prepare_search
from xlt_bench.tuning.space import HEAD_RATE, OWN_RATES, choices_of, dimensions, options_of, point, request_of
from xlt_bench.tuning.trial import FIRST_SEED

RATES = (OWN_RATES, HEAD_RATE)


def factors(number: int, names: tuple[str, ...]) -> dict[str, float]:
    """The point of a trial where nothing is a choice."""
    return {name: float(value) for name, value in point(number, names, {}).items()}


def test_the_first_trial_is_the_default() -> None:
    assert factors(0, RATES) == {OWN_RATES: 1.0, HEAD_RATE: 1.0}


def test_the_factors_are_the_halton_sequence_on_a_logarithmic_scale() -> None:
    halves, thirds = (1 / 2, 1 / 4, 3 / 4, 1 / 8), (1 / 3, 2 / 3, 1 / 9, 4 / 9)
    for number, (own, head) in enumerate(zip(halves, thirds, strict=True), 1):
        found = factors(number, RATES)
        assert found[OWN_RATES] == pytest.approx(10 ** (2 * own - 1), rel=5e-3)
        assert found[HEAD_RATE] == pytest.approx(10 ** (2 * head - 1), rel=5e-3)


def test_the_factors_fill_the_space_evenly_and_are_those_of_every_method() -> None:
    drawn = [factors(number, RATES) for number in range(1, 61)]
    for name in RATES:
        places = [math.log10(one[name]) for one in drawn]
        assert min(places) >= -1
        assert max(places) <= 1
        assert all(sum(low <= place < low + 0.5 for place in places) in range(13, 18) for low in (-1, -0.5, 0, 0.5))
    assert [one[OWN_RATES] for one in drawn] == [factors(number, ("strength",))["strength"] for number in range(1, 61)]


@pytest.mark.parametrize("method", ["xpe", "spt", "dual-70", "full-finetuning", "head-only"])
def test_methods_with_rates_of_the_recipe_have_one_space(method: str) -> None:
    assert dimensions(configure(method, {})) == RATES


def test_a_method_names_its_own_hyper_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert dimensions(configure("ngram-mlp", {})) == ("learning_rate",)
    configured = configure(write_tuned(**{'("strength",)': '("strength", "size")'}), {"strength": "2"})
    assert dimensions(configured) == ("strength", "size")
    made = request_of(Request(settings={"strength": "2"}), configured, {"strength": 0.25, "size": 0.1})
    assert made.settings == {"strength": "0.5", "size": "1"}
    assert made.rate_factors == (1.0, 1.0)


CHOICE = {
    '("strength",)': '("strength", "kind")',
    "size: int = 5": "size: int = 5\n    kind: Literal['b', 'a', 'c'] = 'a'",
    "from typing import ClassVar": "from typing import ClassVar, Literal",
}


def test_a_choice_takes_its_values_in_equal_shares_the_one_that_is_set_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configured = configure(write_tuned(**CHOICE), {"kind": "c"})
    names, texts = dimensions(configured), choices_of(configured)
    assert names == ("strength", "kind")
    assert texts == {"kind": ("c", "a", "b")}
    points = [point(number, names, texts) for number in range(28)]
    assert points[0] == {"strength": 1.0, "kind": "c"}
    assert [place["strength"] for place in points] == [factors(number, names)["strength"] for number in range(28)]
    counts = Counter(place["kind"] for place in points[1:])
    assert set(counts.values()) == {9}
    chosen = request_of(Request(), configured, {"strength": 1.0, "kind": "b"})
    assert chosen.settings == {"kind": "b"}
    assert options_of(chosen) == ["--set", "kind=b"]


def test_factors_become_options_of_run() -> None:
    made = request_of(Request(settings={"n_tokens": "5"}), configure("xpe", {}), {OWN_RATES: 2.15, HEAD_RATE: 0.464})
    assert made.rate_factors == (2.15, 0.464)
    assert options_of(made) == ["--set", "n_tokens=5", "--rate-factors", "2.15,0.464"]
    assert options_of(Request()) == []


def test_rates_keep_their_ratios() -> None:
    recipe = PRESETS["cldr"].recipe
    scaled = recipe.scaled(2.0, 0.5)
    ratios = {role: scaled.rate(role).learning_rate / rate.learning_rate for role, rate in recipe.rates.items()}
    assert ratios.pop("head") == 0.5
    assert set(ratios.values()) == {2.0}
    assert recipe.scaled(1.0, 1.0) == recipe
    assert scaled.rate("prompt").weight_decay == recipe.rate("prompt").weight_decay


def test_fits_of_languages_are_the_same_in_every_trial() -> None:
    recipe = PRESETS["cldr"].recipe.with_roles(language=Rate(0.25), adapter=Rate(0.5))
    scaled = recipe.scaled(2.0, 0.5)
    assert (scaled.rate("language").learning_rate, scaled.rate("adapter").learning_rate) == (0.25, 1.0)


@pytest.mark.parametrize("text", ["2", "1,2,3", "x,y", "", "1;2"])
def test_factors_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--rate-factors takes two numbers, of the head last, such as 2,0\.5, not"):
        read_factors(text, "--rate-factors")


@pytest.mark.parametrize("text", ["0,1", "1,-2", "nan,1", "inf,1"])
def test_factors_that_are_no_positive_numbers(text: str) -> None:
    with pytest.raises(ConfigError, match="must be a positive number"):
        PRESETS["cldr"].recipe.scaled(*read_factors(text, "--rate-factors"))


@pytest.mark.parametrize("setting", ["learning_rate", "head_learning_rate"])
def test_a_rate_that_is_given_is_not_tuned(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"--set {setting} fixes what is to be tuned; leave it out"):
        dimensions(configure("xpe", {setting: "0.1"}))


@pytest.mark.parametrize("method", ["majority", "centroid", "linear-probe"])
def test_a_method_with_nothing_to_tune(method: str) -> None:
    with pytest.raises(ConfigError, match=rf"method {method} has nothing to tune; .* tunes = \(\"learning_rate\",\)"):
        dimensions(configure(method, {}))


@pytest.mark.parametrize(
    ("tunes", "message"),
    [
        ('("strenght",)', r"which 'strenght' is not \(None\)"),
        ('("size", "name")', r"which 'name' is not \(None\)"),
        ('"strength"', r"must be a tuple of names, at most 6, not 'strength'"),
        ('["strength"]', r"must be a tuple of names"),
        ('("strength",) * 7', r"must be a tuple of names, at most 6"),
        ("(1,)", r"with a positive number or a choice, which '1' is not"),
    ],
)
def test_a_plug_in_that_names_what_cannot_be_tuned(
    tunes: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MethodError, match=message) as caught:
        dimensions(configure(write_tuned(**{'("strength",)': tunes}), {}))
    assert "plugin.py:Plugin" in str(caught.value)


def test_a_plug_in_that_says_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="has nothing to tune"):
        dimensions(configure(write_tuned(**{'("strength",)': "()"}), {}))


def test_the_guide() -> None:
    guide = (ROOT / "docs/tuning.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in guide.splitlines() if line.startswith("xlt-bench tune")]
    assert [words[2:] for words in commands] == [
        ["--method", method, "--sources", "seen", "--trials", "8"] for method in ("xpe", "spt")
    ]
    found = prepare_search(Request(method="spt", sources="seen"), 8)
    assert [dict(planned.trial.point) for planned in found.planned] == [factors(number, RATES) for number in range(8)]
    assert f"from {FIRST_SEED:,} on" in guide
    (snippet,) = re.findall(r"```python\n(.*?)```", guide, re.S)
    names: dict[str, Any] = {"dataclass": dataclass, "ClassVar": ClassVar, "__name__": __name__}
    exec(snippet, names)
    assert names["Mine"].tunes == ("learning_rate",)
    assert names["Mine"]().learning_rate == 0.003
