"""A board as data: JSON with everything, CSV with one line a row and group."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, Bounds, RowScore
from xlt_bench.leaderboard.render.words import is_exploratory

DIGITS = 6
"""Of every number: more than any test set resolves, fewer than arithmetic differs in between machines."""

_COLUMNS = (
    "task", "task_hash", "metric", "section", "setting", "protocol", "backbone", "method", "sources", "resources",
    "configuration",
    "group", "primary", "value", "two_way_low", "two_way_high", "bootstrap_low", "bootstrap_high", "seeds_low",
    "seeds_high", "level", "inference", "seeds", "by_seed", "outlier_seeds", "failed_seeds", "languages",
    "group_languages", "items", "clusters", "missing", "ranked_value", "ranked_languages", "rank", "worst_rank",
    "letters", "tests", "reference", "difference", "difference_low", "difference_high", "difference_p", "at_chance",
    "evidence", "selected_on", "trainable_parameters", "origin", "licence", "note", "caveats",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(boards: Sequence[BoardContent], extra: Mapping[str, Any] | None = None) -> str:
    """All boards, values in [0, 1]; equal boards give equal text.

    Args:
        extra: further members of the object.
    """
    content = {"boards": [plain(board) for board in boards], **(extra or {})}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(boards: Sequence[BoardContent]) -> str:
    """A header and one line for each row and target group; a row without any score gets one line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(csv_rows(boards))
    return text.getvalue()


def csv_rows(boards: Sequence[BoardContent]) -> list[dict[str, Any]]:
    """The lines of `as_csv` by column, in its order; what a line does not have is None."""
    return [
        {**dict.fromkeys(_COLUMNS), **_about(board, section, row), **cells}
        for board in boards
        for section in board.sections
        for row in section.rows
        for cells in _lines(board, section, row)
    ]


def plain(value: Any) -> Any:
    """A board's content as JSON has it, numbers rounded."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return round(value, DIGITS) + 0.0 if isinstance(value, float) else value


def safe_cell(text: str) -> str:
    """A text that a spreadsheet takes for text: one that would begin a formula gets an apostrophe in front."""
    cell = clean(text)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _about(board: BoardContent, section: BoardSection, row: BoardRow) -> dict[str, Any]:
    texts = {
        "task": board.task,
        "section": section.title,
        "setting": section.setting,
        "protocol": section.protocol,
        "backbone": section.backbone,
        "method": row.label,
        "sources": row.sources,
        "resources": ", ".join(row.resources),
        "selected_on": row.selected_on,
        "origin": row.origin,
        "licence": row.licence,
        "caveats": " ".join(row.caveats),
    }
    return {
        **{name: safe_cell(text) for name, text in texts.items()},
        "task_hash": board.task_hash,
        "metric": board.metric,
        "configuration": row.key,
        "level": board.level,
        "failed_seeds": " ".join(map(str, row.failed_seeds)),
        "evidence": row.evidence,
        "trainable_parameters": row.trainable_parameters,
    }


def _lines(board: BoardContent, section: BoardSection, row: BoardRow) -> Iterator[dict[str, Any]]:
    for name, score in row.scores.items():
        against = score.against
        yield {
            "group": safe_cell(name),
            "primary": int(not is_exploratory(board, section, name)) if name in section.tests else None,
            "value": plain(score.value),
            **_ends("two_way", score.two_way),
            **_ends("bootstrap", score.bootstrap),
            **_ends("seeds", score.seeds_only),
            "inference": score.inference,
            "seeds": score.seeds or None,
            "by_seed": " ".join(f"{value:.{DIGITS}f}" for value in score.by_seed),
            "outlier_seeds": " ".join(map(str, score.outliers)),
            "languages": score.languages,
            "group_languages": len(section.groups[name]),
            "items": score.items or None,
            "clusters": score.clusters or None,
            "missing": " ".join(map(safe_cell, score.missing)),
            **_standing(score, len(section.ranked_on[name])),
            "tests": section.tests.get(name) if score.letters else None,
            "reference": safe_cell(against.reference) if against else None,
            "difference": plain(against.difference) if against else None,
            **_ends("difference", against.bounds if against else None),
            "difference_p": plain(against.p) if against else None,
            "at_chance": int(score.at_chance),
            "note": safe_cell(score.note or ""),
        }
    if not row.scores:
        yield {"note": "no run succeeded" if row.failed_seeds else "no score"}


def _standing(score: RowScore, languages: int) -> dict[str, Any]:
    if score.ranked_value is None:
        return {}
    return {
        "ranked_value": plain(score.ranked_value),
        "ranked_languages": languages,
        "rank": score.rank,
        "worst_rank": score.worst_rank,
        "letters": score.letters,
    }


def _ends(name: str, bounds: Bounds | None) -> dict[str, Any]:
    return {f"{name}_low": plain(bounds.low), f"{name}_high": plain(bounds.high)} if bounds else {}
