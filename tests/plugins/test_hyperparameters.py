"""Hyper-parameters: every type, suggestions, and what a plug-in may get wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Optional

import pytest

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.plugins.hyperparameters import choices, defaults, parse, parse_settings, text_of, values


@dataclass(frozen=True)
class Every:
    """One field of every type."""

    uses_backbone: ClassVar[bool] = True

    flag: bool = False
    count: int = 3
    rate: float = 1
    maybe: float | None = None
    old: Optional[int] = None  # noqa: UP045
    either: int | str = 1
    mode: Literal["mean", "max", 2] = "mean"
    name: str = "a"
    layers: tuple[int, ...] = (1, 2)
    modes: tuple[Literal["mean", "max"] | None, ...] = ()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("flag=true", True),
        ("flag=False", False),
        ("count=-4", -4),
        ("rate=2", 2.0),
        ("rate=1e-3", 0.001),
        ("maybe=none", None),
        ("maybe=null", None),
        ("maybe=0.5", 0.5),
        ("old=7", 7),
        ("old=None", None),
        ("either=5", 5),
        ("either=five", "five"),
        ("mode=max", "max"),
        ("mode=2", 2),
        ("name=x=y", "x=y"),
        ("name=", ""),
        ("name=none", "none"),
        ("layers=3", (3,)),
        ("layers=3, -4,5", (3, -4, 5)),
        ("layers=", ()),
        ("modes=max,none,mean", ("max", None, "mean")),
    ],
)
def test_a_setting_of_each_type(setting: str, expected: object) -> None:
    ((_, value),) = parse(Every, parse_settings([setting]), "every").items()
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("flag=1", "'flag' of every must be true or false, not '1'"),
        ("count=1.0", "must be a whole number, not '1.0'"),
        ("count=none", "must be a whole number, not 'none'"),
        ("rate=fast", "must be a number, not 'fast'"),
        ("rate=nan", "must be a number, not 'nan'"),
        ("maybe=inf", "must be none or a number, not 'inf'"),
        ("mode=median", "must be 'mean' or 'max' or '2', not 'median'"),
        ("layers=1,b", "'layers' of every must be a whole number, not 'b'"),
        ("cuont=3", "no hyper-parameter of every 'cuont'; did you mean 'count'?"),
        ("cuont=3", "rate=1.0, maybe=None, old=None, either=1, mode=mean|max|2, name=a"),
    ],
)
def test_an_unknown_or_ill_typed_setting(setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Every, parse_settings([setting]), "every")
    assert message in str(caught.value)


@pytest.mark.parametrize("pairs", [["n"], ["=3"], ["a=1", "a=2"], ["a=1", " a =2"]])
def test_settings_that_are_no_settings(pairs: list[str]) -> None:
    with pytest.raises(ConfigError, match="--set"):
        parse_settings(pairs)


def test_values_survive_json_and_a_whole_number_for_a_float_is_the_same_value() -> None:
    stored = json.loads(json.dumps(values(Every())))
    assert values(Every(**stored)) == values(Every())
    assert parse(Every, {name: text_of(value) for name, value in stored.items()}, "every") == values(Every())
    written = json.dumps(values(Every(**parse(Every, {"rate": "1"}, "every"))))
    assert written == json.dumps(values(Every()))
    assert '"rate": 1.0' in written


def test_choices_are_listed_with_the_default_first() -> None:
    assert choices(Every) == {"mode": ("mean", "max", 2)}


@pytest.mark.parametrize("changed", [{"mode": "median"}, {"mode": 3}, {"modes": ("mean", "median")}])
def test_an_object_whose_value_is_none_of_the_choices_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MethodError, match=r"is ('median'|3); it must be 'mean' or 'max'"):
        values(Every(**changed))  # type: ignore[arg-type]
    with pytest.raises(MethodError, match=r"hyper-parameter 'mode' of Wrong is 'median'; it must be 'mean' or 'max'"):
        defaults(Wrong)


@dataclass(frozen=True)
class Wrong:
    mode: Literal["mean", "max"] = "median"  # type: ignore[assignment]


@dataclass(frozen=True)
class NoDefault:
    size: int


@dataclass(frozen=True)
class Factory:
    sizes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    sizes: tuple[int, int] = (1, 2)


@dataclass(frozen=True)
class Text:
    layers: tuple[int, ...] = "1,2"  # type: ignore[assignment]


@dataclass(frozen=True)
class Infinite:
    rate: float = float("inf")


@dataclass
class Thawed:
    size: int = 1


class Plain:
    size = 1


@dataclass(frozen=True)
class Unresolved:
    path: "NotImported" = None  # type: ignore[name-defined] # noqa: F821, UP037


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (NoDefault, "'size' of NoDefault has no plain default"),
        (Factory, "'sizes' of Factory has no plain default"),
        (Pair, "'sizes' of Pair has type tuple"),
        (Text, "'layers' of Text is '1,2', no tuple"),
        (Infinite, "'rate' of Infinite is inf"),
        (Thawed, "write @dataclass\\(frozen=True\\)"),
        (Plain, "write @dataclass\\(frozen=True\\)"),
        (Unresolved, "NotImported"),
    ],
)
def test_a_class_whose_fields_cannot_be_hyperparameters(method: type, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        defaults(method)
