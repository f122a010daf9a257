"""Records and answers of a small made-up task, and boards of them without any store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from tests.support.records import record
from xlt_bench.leaderboard.board.assemble import assemble
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.render.terminal import BoardView
from xlt_bench.records.answers import Sheet, sheet_of
from xlt_bench.records.record import Predictions, Record

CODES = ("aaa_Latn", "bbb_Latn", "ccc_Cyrl", "ddd_Arab", "eee_Latn", "fff_Latn")
ITEMS = tuple(f"item{n:02d}" for n in range(20))
CLASSES = ("lake", "river", "town")
GROUPS = {"unseen": CODES[2:], "low-performing": CODES[3:5]}

Run = tuple[Record, Predictions]


def gold_of(items: Sequence[str] = ITEMS) -> list[str]:
    """Class of each item: the first is the most frequent, with half of all items."""
    return [CLASSES[0] if int(item[4:]) % 2 else CLASSES[1 + int(item[4:]) // 2 % 2] for item in items]


def answers(
    share: float = 0.6,
    *,
    seed: int = 0,
    codes: Sequence[str] = CODES[2:],
    lacking: Mapping[str, Sequence[str]] | None = None,
) -> Predictions:
    """Predictions of which about `share` are right, by hashes and not by numpy, so that no release changes them.

    `lacking`: items that a language does not have.
    """

    def drawn(code: str, item: str) -> float:
        return int(hashlib.sha256(f"{seed} {share} {code} {item}".encode()).hexdigest()[:8], 16) / 2**32

    rows = [
        (code, item, gold)
        for code in codes
        for item, gold in zip(ITEMS, gold_of(), strict=True)
        if item not in (lacking or {}).get(code, ())
    ]
    wrong = {gold: CLASSES[(CLASSES.index(gold) + 1) % 3] for gold in CLASSES}
    predicted = [gold if drawn(code, item) < share else wrong[gold] for code, item, gold in rows]
    columns = (*zip(*rows, strict=True), predicted)
    return Predictions(*(np.array(column, object) for column in columns))


def run_of(predictions: Predictions | None, *, label: str = "XPE", seed: int = 0, **changes: object) -> Record:
    """A Record of these predictions; without any a failed one. `changes` of the cell or the Record."""
    usual: dict[str, Any] = {
        "task_hash": "0123456789abcdef",
        "backbone": "tiny",
        "backbone_hash": "fedcba9876543210",
        "method": label.lower(),
        "hyperparameters": {},
        "recipe": {"steps": 1},
        "sources": CODES[:2],
        "targets": CODES[2:],
        "sources_label": "seen",
        "groups": GROUPS,
        "labels": CLASSES,
        "selected_on": "source dev",
        "fit": {"trainable_parameters": 100},
    }
    failure: dict[str, Any] = {"error": "out of memory"} if predictions is None else {}
    return record(predictions, label=label, seed=seed, **{**usual, **failure, **changes})


def runs(share: float = 0.6, seeds: int = 3, *, label: str = "XPE", **changes: object) -> list[Run]:
    """One configuration with several seeds."""
    predictions = [answers(share, seed=seed) for seed in range(seeds)]
    return [(run_of(of_seed, label=label, seed=seed, **changes), of_seed) for seed, of_seed in enumerate(predictions)]


def floor(share: float = 0.5, seeds: int = 3, label: str = "majority") -> list[Run]:
    """A method without a backbone."""
    none = {"backbone": "none", "backbone_hash": "none", "preset": None, "recipe": None}
    return runs(share, seeds, label=label, **none)


def board_of(found: Sequence[Run], others: Sequence[Record] = (), **options: object) -> BoardContent:
    """The board of these runs and of Records without answers of their own."""
    held = {record.cell.fingerprint: predictions for record, predictions in found}

    def load(record: Record) -> Sheet:
        return sheet_of(held[record.cell.fingerprint], record.labels)

    return assemble([*(record for record, _ in found), *others], load, Options(**options))  # type: ignore[arg-type]


def only(board: BoardContent) -> BoardSection:
    """The one section of a board."""
    (section,) = board.sections
    return section


def row_named(board: BoardContent, label: str) -> BoardRow:
    """The first row of this label."""
    return next(row for section in board.sections for row in section.rows if row.label == label)


def correct(found: Sequence[Run], codes: Sequence[str]) -> NDArray[np.float64]:
    """(seeds, languages, items) 1 where right, NaN where there is no such item; computed row by row."""
    y = np.full((len(found), len(codes), len(ITEMS)), np.nan)
    for seed, (_, own) in enumerate(found):
        for code, item, gold, told in zip(own.language, own.item_id, own.gold, own.predicted, strict=True):
            if code in codes:
                y[seed, codes.index(code), ITEMS.index(item)] = gold == told
    return y


def shown(board: BoardContent, width: int = 80) -> str:
    """What a terminal of this width prints."""
    file = io.StringIO()
    Console(width=width, highlight=False, file=file).print(BoardView(board))
    return file.getvalue()
