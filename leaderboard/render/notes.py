"""The sentences around a table: its title, what marks mean, and what a reader must know of rows and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection
from xlt_bench.leaderboard.render.words import is_exploratory, letters, percent, randomness

_LISTED = 8
_ROWS = 6

TOO_FEW_SEEDS = (
    "Across seeds alone, a pair gets no verdict where even the exact permutation test could not have reached one with "
    "so few seeds and so many pairs: it counts as tied."
)
_HOLLOW = (
    "Letters in parentheses and ~: one run of a method of which another run would differ. Its interval is over items "
    "alone, and nothing is concluded about the method: run it with more seeds."
)
_RANDOM_LANGUAGES = (
    "Languages are taken as drawn at random, family by family, from languages like these; without it inference is for "
    "these languages alone."
)


def board_title(board: BoardContent) -> str:
    """What the numbers are."""
    kind = f"{100 * board.level:g}% intervals ({board.interval}: {randomness(board)})"
    data = f"data {clean(board.task_hash)[:8]}" if board.task_hash else "as published"
    return f"Task {clean(board.task)} ({data}): {board.metric_title} in per cent, {kind}"


def legend(board: BoardContent) -> list[str]:
    """What letters and marks mean, as far as this board has them."""
    scores = [score for section in board.sections for row in section.rows for score in row.scores.values()]
    lines = []
    if any(score.letters for score in scores):
        lines.append(
            "Letters: rows of one table that share a letter are not told apart on that group (every pair tested, "
            f"{board.interval}, p corrected for their number, alpha {100 * (1 - board.level):g}%)."
        )
    if any(score.hollow for score in scores):
        lines.append(_HOLLOW)
    if board.interval == "seeds":
        lines.append(TOO_FEW_SEEDS)
    if board.random_languages:
        lines.append(_RANDOM_LANGUAGES)
    if len(board.sections) > 1:
        lines.append("Rows of different tables are not compared: their settings, protocols or backbones differ.")
    if any("#" in letters(score) for score in scores):
        lines.append("#2-5, in place of letters that would be too many: no better than rank 2, no worse than rank 5.")
    references = {score.against.reference for score in scores if score.against}
    if references:
        same_sources = " (of the rows of that name, the one with the same sources)" if len(references) > 1 else ""
        lines.append(
            f"Signed numbers: the difference from the reference '{clean(board.reference or '')}'{same_sources} on the "
            "languages that all ranked rows have; p corrected by Holm over the rows compared with it."
        )
    if any(score.missing for score in scores):
        lines.append("*: languages of the group are missing; the number is the mean over those that are there.")
    if any(score.at_chance for score in scores):
        lines.append(
            "!: not shown to be above always answering the most frequent class, by a paired test on the same items."
        )
    if any(score.outliers for score in scores):
        lines.append("^: a seed lies far from the others, as a run does that collapsed; its interval may be wrong.")
    if any(score.items == 0 for score in scores):
        lines.append("Rows without answers to single items are point values: no interval, no test, no rank.")
    return lines


def board_notes(board: BoardContent) -> list[str]:
    """What concerns the board as a whole; the count of what was skipped last."""
    lines = [clean(caveat) for caveat in board.caveats]
    if board.skipped:
        count = len(board.skipped)
        lines.append(f"Skipped, and not in any number above: {count} Record{'' if count == 1 else 's'}.")
        lines += [f"  {clean(line)}" for line in board.skipped]
    return lines


def section_notes(board: BoardContent, section: BoardSection) -> list[str]:
    """What a reader must know about the rows of one table."""
    return [
        *_coverage(section),
        *_families(board, section),
        *(f"Failed: {rows}, {text}." for text, rows in _by_text(section, _failed)),
        *(f"Checkpoint selected on {text}: {rows}." for text, rows in _by_text(section, _selection)),
        *(f"Setting {text}: {rows}." for text, rows in _by_text(section, _setting_of(section))),
        *(f"Evidence {text}: {rows}." for text, rows in _by_text(section, _weaker_evidence)),
        *(f"{text}: {rows}." for text, rows in _by_text(section, _stored_answers)),
        *(f"^: {rows}: {text}." for text, rows in _by_text(section, outlier_texts)),
        *(f"{text[:1].upper()}{text[1:]}: {rows}." for text, rows in _by_text(section, _unusual)),
        *(f"{rows}: {text}" for text, rows in _by_text(section, lambda row: row.caveats)),
    ]


def row_name(section: BoardSection, row: BoardRow) -> str:
    """The label, with the sources where another row has the same label."""
    label = clean(row.label)
    is_unique = [listed.label for listed in section.rows].count(row.label) == 1
    return label if is_unique else f"{label} ({clean(row.sources)})"


def family_notes(board: BoardContent, section: BoardSection) -> list[str]:
    """Which tests are corrected together, and how many they are."""
    return list(_families(board, section))


def outlier_texts(row: BoardRow) -> list[str]:
    """Of each group with outlying seeds, their values and the range of the others."""
    texts = []
    for group, score in row.scores.items():
        if score.outliers:
            by_seed = dict(zip(row.seeds, score.by_seed, strict=True))
            usual = [value for seed, value in by_seed.items() if seed not in score.outliers]
            listed = ", ".join(f"seed {seed} has {percent(by_seed[seed])}" for seed in score.outliers)
            texts.append(f"{listed} on {group}, the others {percent(min(usual))} to {percent(max(usual))}")
    return texts


def _coverage(section: BoardSection) -> Iterator[str]:
    if len(section.rows) > 1 and section.sorted_by:
        yield f"In order of {clean(section.sorted_by)}."
    for text, rows in _by_text(section, _lacking):
        yield f"*: {rows}: without {text}."
    for group, codes in section.groups.items():
        common = section.ranked_on.get(group, ())
        if common and len(common) < len(codes):
            yield f"{clean(group)}: ranked on the {len(common)} of {len(codes)} languages that all ranked rows have."


def _families(board: BoardContent, section: BoardSection) -> Iterator[str]:
    if not section.tests:
        return
    if board.family == "table":
        total = next(iter(section.tests.values()))
        yield f"Tests: p is corrected for all {total} of this table together."
    else:
        exploratory = [group for group in section.tests if is_exploratory(board, section, group)]
        if section.primary in section.tests:
            count = section.tests[section.primary]
            tests = "1 test" if count == 1 else f"{count} tests corrected together"
            yield f"Primary group: {clean(section.primary)}, {tests}."
        if exploratory:
            listed = ", ".join(f"{clean(group)} {section.tests[group]}" for group in exploratory)
            yield (
                f"Exploratory, each group corrected for its own tests alone ({listed} tests); --family table corrects "
                "all groups together."
            )
    if section.superseded:
        count = section.superseded
        yield (
            f"{count} earlier version{'' if count == 1 else 's'} of rows {'is' if count == 1 else 'are'} hidden "
            "(--superseded shows all); what was tried on the test items counts in the number of tests."
        )


def _lacking(row: BoardRow) -> list[str]:
    missing = dict.fromkeys(code for score in row.scores.values() for code in score.missing)
    return [_few(list(missing), _LISTED)] if missing else []


def _failed(row: BoardRow) -> list[str]:
    return [f"seed {_few([str(seed) for seed in row.failed_seeds], _LISTED)}"] if row.failed_seeds else []


def _selection(row: BoardRow) -> list[str]:
    return [row.selected_on] if row.selected_on and row.seeds else []


def _setting_of(section: BoardSection) -> Callable[[BoardRow], list[str]]:
    """How a row's setting was chosen, said where that differs between rows."""
    several = len({row.tuned for row in section.rows}) > 1

    def texts(row: BoardRow) -> list[str]:
        if row.tuned is not None:
            return [f"tuned on source dev in {row.tuned} trials"]
        return ["as given or by default, no search"] if several and row.seeds and not row.source else []

    return texts


def _stored_answers(row: BoardRow) -> list[str]:
    fixed = any(score.inference == "these answers" for score in row.scores.values())
    return ["Inference for these answers, random over items (there are no seeds)"] if fixed else []


def _weaker_evidence(row: BoardRow) -> list[str]:
    texts = {"per_language": "per language (published figures by language)", "aggregate": "aggregate (published means)"}
    return [texts[row.evidence]] if row.evidence in texts else []


def _unusual(row: BoardRow) -> list[str]:
    notes = dict.fromkeys(score.note for score in row.scores.values() if score.note and score.items)
    return [note for note in notes if note]


def _by_text(section: BoardSection, texts: Callable[[BoardRow], Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the rows that it holds for."""
    by_text: dict[str, list[BoardRow]] = {}
    for row in section.rows:
        for text in texts(row):
            by_text.setdefault(text, []).append(row)
    for text, rows in by_text.items():
        all_rows = len(rows) == len(section.rows) > 1
        yield clean(text), "all rows" if all_rows else _few([row_name(section, row) for row in rows], _ROWS, "; ")


def _few(names: Sequence[str], most: int, between: str = ", ") -> str:
    return between.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
