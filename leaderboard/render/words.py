"""What the text renderings say alike: numbers, letters, marks, and the notes below a table, in words.

Marks are ASCII, so that a terminal of any encoding shows them: `*` a language of the group is missing, `!` not above
the majority class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import Board, BoardRow, Bounds, GroupScore, Section

NOTHING = "-"
POINT = "point value"
_LETTERS = 8
_LISTED = 8
_ROWS = 6
RANDOM = {
    "two-way": "random over seeds and items",
    "bootstrap": "seeds and items resampled together",
    "seeds": "random over seeds only, for these very items",
}

TOO_FEW_SEEDS = (
    "Across seeds alone, a pair gets no verdict where even the exact permutation test could not have reached one with "
    "so few seeds and so many pairs: it counts as tied."
)


def percent(value: float) -> str:
    """An accuracy in [0, 1] as per cent with one digit."""
    return f"{100 * value:.1f}"


def span(bounds: Bounds | None, score: GroupScore) -> str:
    """An interval in per cent; bounds of a t interval can leave [0, 100], which accuracies cannot."""
    if bounds is None:
        return POINT if score.items == 0 else "no interval"
    if bounds.low == bounds.high:
        return "no variance"
    return f"{percent(max(bounds.low, 0.0))}-{percent(min(bounds.high, 1.0))}"


def letters(score: GroupScore) -> str:
    """Tie letters, a run of three and more written as its ends: `abcd` is `a-d`; where they are too many, the ranks."""
    if not score.letters:
        return ""
    runs = [[c for _, c in own] for _, own in groupby(enumerate(score.letters), lambda pair: ord(pair[1]) - pair[0])]
    told = "".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "".join(run) for run in runs)
    return told if len(told) <= _LETTERS and "'" not in told else f"#{score.rank}-{score.worst_rank}"


def marks(score: GroupScore) -> str:
    """See the module's docstring."""
    return ("*" if score.missing else "") + ("!" if score.at_chance else "")


def headline(score: GroupScore) -> str:
    """The number with letters and marks, such as `58.9 ab*`."""
    told = letters(score) + marks(score)
    return f"{percent(score.accuracy)} {told}".rstrip()


def against(score: GroupScore) -> str:
    """The difference from the reference with its p, such as `+1.9 p .012`."""
    found = score.against
    if found is None:
        return ""
    return f"{100 * found.difference:+.1f} " + ("no test" if found.p is None else f"p {p_value(found.p)}")


def p_value(p: float) -> str:
    """Three digits without the leading zero."""
    return "<.001" if p < 0.001 else "1" if p >= 0.9995 else f"{p:.3f}".removeprefix("0")


def runs(row: BoardRow, published_runs: int) -> str:
    """How many runs are behind a row, such as `5 seeds, 1 failed`."""
    count = len(row.seeds) or published_runs
    told = [f"{count} seed{'' if count == 1 else 's'}"] if count else []
    return ", ".join([*told, *([f"{len(row.failed_seeds)} failed"] if row.failed_seeds else [])])


def only_points(section: Section) -> bool:
    """Whether no row has answers to single items: a note says it, and no cell need."""
    return all(score.items == 0 for row in section.rows for score in row.scores.values())


def board_title(board: Board) -> str:
    """What the numbers are."""
    kind = f"{100 * board.level:g}% intervals ({board.interval}: {RANDOM[board.interval]})"
    return f"Task {clean(board.task)} (data {clean(board.task_hash)[:8]}): accuracy in per cent, {kind}"


def legend(board: Board) -> list[str]:
    """What letters and marks mean, as far as this board has them."""
    scores = [score for section in board.sections for row in section.rows for score in row.scores.values()]
    told = []
    if any(score.letters for score in scores):
        told.append(
            "Letters: rows of one table that share a letter are not told apart on that group (every pair tested, "
            f"{board.interval}, p corrected by Holm, alpha {100 * (1 - board.level):g}%)."
        )
    if board.interval == "seeds":
        told.append(TOO_FEW_SEEDS)
    if len(board.sections) > 1:
        told.append("Rows of different tables are not compared: their settings, protocols or backbones differ.")
    if any(letters(score).startswith("#") for score in scores):
        told.append("#2-5, in place of letters that would be too many: no better than rank 2, no worse than rank 5.")
    references = {score.against.reference for score in scores if score.against}
    if references:
        own = " (of the rows of that name, the one with the same sources)" if len(references) > 1 else ""
        told.append(
            f"Signed numbers: the difference from the reference '{clean(board.reference or '')}'{own} on the languages "
            "that all ranked rows have; p corrected by Holm over the rows compared with it."
        )
    if any(score.missing for score in scores):
        told.append("*: languages of the group are missing; the number is the mean over those that are there.")
    if any(score.at_chance for score in scores):
        told.append("!: not shown to be above always answering the most frequent class.")
    if any(score.items == 0 for score in scores):
        told.append("Rows without answers to single items are point values: no interval, no test, no rank.")
    return told


def board_notes(board: Board) -> list[str]:
    """What concerns the board as a whole; the count of what was skipped first."""
    told = [clean(caveat) for caveat in board.caveats]
    if board.skipped:
        count = len(board.skipped)
        told.append(f"Skipped, and not in any number above: {count} Record{'' if count == 1 else 's'}.")
        told += [f"  {clean(line)}" for line in board.skipped]
    return told


def section_notes(section: Section) -> list[str]:
    """What a reader must know about the rows of one table."""
    return [
        *_coverage(section),
        *(f"Failed: {rows}, {text}." for text, rows in _by_text(section, _failed)),
        *(f"Checkpoint selected on {text}: {rows}." for text, rows in _by_text(section, _selection)),
        *(f"Setting {text}: {rows}." for text, rows in _by_text(section, _setting_of(section))),
        *(f"Evidence {text}: {rows}." for text, rows in _by_text(section, _weaker_evidence)),
        *(f"{text[:1].upper()}{text[1:]}: {rows}." for text, rows in _by_text(section, _unusual)),
        *(f"{rows}: {text}" for text, rows in _by_text(section, lambda row: row.caveats)),
    ]


def row_name(section: Section, row: BoardRow) -> str:
    """The label, with the sources where another row has the same label."""
    label = clean(row.label)
    alone = sum(other.label == row.label for other in section.rows) == 1
    return label if alone else f"{label} ({clean(row.sources)})"


def _coverage(section: Section) -> Iterator[str]:
    if len(section.rows) > 1 and section.sorted_by:
        yield f"In order of {clean(section.sorted_by)}."
    for text, rows in _by_text(section, _lacking):
        yield f"*: {rows}: without {text}."
    for group, codes in section.groups.items():
        common = section.ranked_on.get(group, ())
        if common and len(common) < len(codes):
            yield f"{clean(group)}: ranked on the {len(common)} of {len(codes)} languages that all ranked rows have."


def _lacking(row: BoardRow) -> list[str]:
    missing = dict.fromkeys(code for score in row.scores.values() for code in score.missing)
    return [_few(list(missing), _LISTED)] if missing else []


def _failed(row: BoardRow) -> list[str]:
    return [f"seed {_few([str(seed) for seed in row.failed_seeds], _LISTED)}"] if row.failed_seeds else []


def _selection(row: BoardRow) -> list[str]:
    return [row.selected_on] if row.selected_on and row.seeds else []


def _setting_of(section: Section) -> Callable[[BoardRow], list[str]]:
    """How a row's setting was found, told where that differs between rows."""
    several = len({row.tuned for row in section.rows}) > 1

    def told(row: BoardRow) -> list[str]:
        if row.tuned is not None:
            return [f"tuned on source dev in {row.tuned} trials"]
        return ["as given or by default, no search"] if several and row.seeds and not row.source else []

    return told


def _weaker_evidence(row: BoardRow) -> list[str]:
    told = {"per_language": "per language (published figures by language)", "aggregate": "aggregate (published means)"}
    return [told[row.evidence]] if row.evidence in told else []


def _unusual(row: BoardRow) -> list[str]:
    notes = dict.fromkeys(score.note for score in row.scores.values() if score.note and score.items)
    return [note for note in notes if note]


def _by_text(section: Section, texts: Callable[[BoardRow], Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the rows that it holds for."""
    found: dict[str, list[BoardRow]] = {}
    for row in section.rows:
        for text in texts(row):
            found.setdefault(text, []).append(row)
    for text, rows in found.items():
        every = len(rows) == len(section.rows) > 1
        yield clean(text), "all rows" if every else _few([row_name(section, row) for row in rows], _ROWS, "; ")


def _few(names: Sequence[str], most: int, between: str = ", ") -> str:
    return between.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
