"""What only the page shows of a section, as plain data: every pair of its rows, and how its runs learnt.

Rows are named by their position in the section. Pairs are in the order (0, 1), (0, 2), ..., (1, 2), ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class GroupPairs:
    """Every pair of the ranked rows of a target group: what ranks and letters follow from.

    Attributes:
        rows: positions of the ranked rows.
        differences: of each pair, the first row's mean less the second's, on the languages that all ranked rows have.
        p: of each pair, corrected as the board's families are; None: no test.
    """

    rows: tuple[int, ...]
    differences: tuple[float, ...]
    p: tuple[float | None, ...]


@dataclass(frozen=True)
class LanguagePairs:
    """Every pair of the best rows, language by language.

    Attributes:
        rows: positions of these rows.
        q: language code -> q of each pair (Benjamini-Hochberg over the languages of the pair); None: no test.
    """

    rows: tuple[int, ...]
    q: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class DevCurve:
    """The source-dev accuracies in [0, 1] of one run while it was trained; `selected` is the step that was chosen."""

    seed: int
    steps: tuple[int, ...]
    accuracy: tuple[float, ...]
    selected: int | None


@dataclass(frozen=True)
class FewShotPoint:
    """Where a row stands on a curve over labelled examples of the target.

    Attributes:
        series: identity of the configuration without the number of examples.
        name: of the series.
        shots: labelled examples of each target; None: all of its train split.
    """

    series: str
    name: str
    shots: int | None


@dataclass(frozen=True)
class SectionDetail:
    """See the module's docstring; `pairs` is by target group, `curves` and `few_shot` by position of the row."""

    pairs: Mapping[str, GroupPairs]
    by_language: LanguagePairs | None
    curves: Mapping[int, tuple[DevCurve, ...]]
    few_shot: Mapping[int, FewShotPoint]
