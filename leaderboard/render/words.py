"""What the text renderings say alike of single numbers and rows: values, letters, marks, intervals.

Marks are ASCII, so that a terminal of any encoding shows them: `*` a language of the group is missing, `!` not above
the majority class, `~` one run, `^` a seed far from the others. Letters in parentheses are of one run: no verdict.
"""

from __future__ import annotations

from itertools import groupby

from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, Bounds, RowScore

NOTHING = "-"
POINT = "point value"
_LETTERS = 8
RANDOM = {
    "two-way": "random over seeds and items",
    "bootstrap": "seeds and items resampled together",
    "seeds": "random over seeds only, for these very items",
}
RANDOM_LANGUAGES = "seeds, items and languages resampled together, languages by family"


def percent(value: float) -> str:
    """A value in [0, 1] as per cent with one digit."""
    return f"{100 * value:.1f}"


def span(bounds: Bounds | None, score: RowScore) -> str:
    """An interval in per cent; bounds of a t interval can leave [0, 100], which scores cannot."""
    if bounds is None:
        return POINT if score.items == 0 else "no interval"
    if bounds.low == bounds.high:
        return "no variance"
    return f"{percent(max(bounds.low, 0.0))}-{percent(min(bounds.high, 1.0))}"


def letters(score: RowScore) -> str:
    """Tie letters, a run of three and more written as its ends: `abcd` is `a-d`; where they are too many, the ranks."""
    if not score.letters:
        return ""
    runs = [
        [letter for _, letter in run]
        for _, run in groupby(enumerate(score.letters), lambda pair: ord(pair[1]) - pair[0])
    ]
    text = "".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "".join(run) for run in runs)
    if len(text) > _LETTERS or "'" in text:
        text = f"#{score.rank}-{score.worst_rank}"
    return f"({text})" if score.hollow else text


def marks(score: RowScore) -> str:
    """See the module's docstring."""
    flags = (("*", bool(score.missing)), ("!", score.at_chance), ("~", score.hollow), ("^", bool(score.outliers)))
    return "".join(mark for mark, holds in flags if holds)


def headline(score: RowScore) -> str:
    """The number with letters and marks, such as `58.9 ab*`."""
    return f"{percent(score.value)} {letters(score)}{marks(score)}".rstrip()


def against(score: RowScore) -> str:
    """The difference from the reference with its p, such as `+1.9 p .012`."""
    difference = score.against
    if difference is None:
        return ""
    p = difference.p
    return f"{100 * difference.difference:+.1f} " + ("no test" if p is None else f"p {p_value(p)}")


def p_value(p: float) -> str:
    """Three digits without the leading zero."""
    return "<.001" if p < 0.001 else "1" if p >= 0.9995 else f"{p:.3f}".removeprefix("0")


def runs(row: BoardRow, published_runs: int) -> str:
    """How many runs are behind a row, such as `5 seeds, 1 failed`; one that is all there is to run is not told."""
    only_run = len(row.seeds) < 2 and any(score.inference == "these answers" for score in row.scores.values())
    count = 0 if only_run else len(row.seeds) or published_runs
    parts = [f"{count} seed{'' if count == 1 else 's'}"] if count else []
    return ", ".join([*parts, *([f"{len(row.failed_seeds)} failed"] if row.failed_seeds else [])])


def only_points(section: BoardSection) -> bool:
    """Whether no row has answers to single items: a note says it, and no cell need."""
    return all(score.items == 0 for row in section.rows for score in row.scores.values())


def is_exploratory(board: BoardContent, section: BoardSection, group: str) -> bool:
    """Whether a group's tests are of a family that nobody declared beforehand."""
    return board.family == "group" and group in section.tests and group != section.primary


def randomness(board: BoardContent) -> str:
    """What the shown intervals and tests take as random."""
    return RANDOM_LANGUAGES if board.random_languages else RANDOM[board.interval]
