"""The board: what may stand in one block, what is marked, and that its means are plain means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from toy import CODES, Command, predictions, record

from xlt_bench.leaderboard import render
from xlt_bench.leaderboard.board import Block, build, with_floors
from xlt_bench.records import Predictions, Record
from xlt_bench.store import Store

Run = tuple[Record, Predictions]
NO_BACKBONE = {"backbone": "none", "backbone_hash": "none", "preset": None, "recipe": None, "method": "majority"}


def made(*, right: float = 0.6, seed: int = 0, label: str = "xpe", **changes: object) -> Run:
    found = predictions(right=right, seed=seed)
    return record(found, label=label, seed=seed, **changes), found


def board(runs: Sequence[Run], failed: Sequence[Record] = (), **options: object) -> list[Block]:
    found = {own.cell.fingerprint: answers for own, answers in runs}
    return build(
        [own for own, _ in runs] + list(failed),
        lambda own: found[own.cell.fingerprint],
        **options,  # type: ignore[arg-type]
    )


def shown(blocks: Sequence[Block], width: int = 80) -> str:
    console = Console(width=width, highlight=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render.tables(blocks, 0.95))
    return console.export_text()


@pytest.mark.parametrize("part", ["task_hash", "backbone_hash"])
def test_other_data_or_another_backbone_is_never_in_one_block(part: str) -> None:
    blocks = board([made(), made(label="spt", method="spt", **{part: "other"})])
    assert [(len(block.rows), block.group) for block in blocks] == [(1, "others"), (1, "unseen")] * 2
    assert len({block.setting for block in blocks}) == 2


def test_another_protocol_is_never_in_one_block() -> None:
    found = predictions(CODES[3:4])
    full = replace(record(found, sources=(), protocol="full", targets=CODES[3:4]), groups={"others": CODES[3:]})
    blocks = board([made(), (full, found)])
    assert {(block.setting.protocol, len(block.rows)) for block in blocks} == {("zero-shot", 1), ("full", 1)}


def test_one_backbone_under_two_names_is_one_block() -> None:
    blocks = board([made(), made(label="spt", method="spt", backbone="./copy")])
    assert [len(block.rows) for block in blocks] == [2, 2]


def test_floors_stand_in_every_block_of_their_data() -> None:
    floor = made(label="majority", right=0.3, **NO_BACKBONE)
    blocks = board([made(), made(label="spt", method="spt", backbone_hash="other"), floor])
    assert len(blocks) == 4
    assert all([row.label for row in block.rows][-1] == "majority" for block in blocks)


def test_floors_of_other_data_stay_out() -> None:
    own, _ = made()
    floor, _ = made(label="majority", **NO_BACKBONE)
    other, _ = made(label="majority", task_hash="other", **NO_BACKBONE)
    elsewhere, _ = made(label="majority", sources=CODES[:1], **NO_BACKBONE)
    assert with_floors([own], [own, floor, other, elsewhere]) == [own, floor]


def test_the_mean_is_the_plain_mean_of_the_languages_means() -> None:
    runs = [made(seed=seed, right=0.4 + 0.1 * seed) for seed in range(3)]
    block = board(runs)[0]
    by_language = [
        [
            np.mean([g == p for c, g, p in zip(f.language, f.gold, f.predicted, strict=True) if c == code])
            for _, f in runs
        ]
        for code in CODES[3:]
    ]
    assert block.rows[0].accuracy == pytest.approx(np.mean(by_language), abs=1e-12)
    assert block.rows[0].score is not None
    assert block.rows[0].score.estimate == pytest.approx(np.mean(by_language), abs=1e-12)
    assert block.rows[0].score.items == 10
    assert block.rows[0].seeds == (0, 1, 2)


def test_failed_seeds_are_counted_and_a_row_without_any_run_comes_last() -> None:
    failed = [record(seed=seed, error="x") for seed in (7, 8)]
    lost = record(label="broken", method="broken", error="x")
    block = board([made()], [*failed, lost])[0]
    assert [(row.label, row.seeds, row.failed) for row in block.rows] == [("xpe", (0,), (7, 8)), ("broken", (), (0,))]
    assert "1 (2 failed)" in shown([block])
    assert "failed" in next(line for line in shown([block]).splitlines() if "broken" in line)


def test_one_run_is_marked() -> None:
    assert "(one run)" in shown(board([made()]))
    assert "(one run)" not in shown(board([made(), made(seed=1)]))


def test_one_run_has_no_interval_where_seeds_alone_are_random() -> None:
    (row,) = board([made()], method="seeds")[0].rows
    assert row.accuracy is not None
    assert row.score is None
    assert "none (one run)" in shown(board([made()], method="seeds"))


def test_rows_that_read_alike_are_told_apart() -> None:
    blocks = board([made(), made(precision="bf16"), made(label="spt", method="spt")])
    labels = [row.label for row in blocks[0].rows]
    assert len(set(labels)) == 3
    assert sum(" #" in label for label in labels) == 2


def test_languages_that_are_missing_are_marked() -> None:
    found = predictions(CODES[3:5])
    part = record(found, label="part", method="part", targets=CODES[3:5])
    block = board([made(), (part, found)])[0]
    row = next(row for row in block.rows if row.label == "part")
    assert (row.languages, row.missing) == (2, CODES[5:])
    assert "[2 of 3" in shown([block])


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    text = shown(board([made(label="[red]x[/red] [/]")]))
    assert "[red]x[/red]" in text


def test_a_long_label_is_never_cut() -> None:
    label = "a-method-with-a-long-name (hidden=128, dropout=0.25, n_tokens=40), preset released, 12000 steps, bf16"
    text = shown(board([made(label=label), made(label=label, seed=1)]))
    assert "…" not in text
    first = " ".join(line[:30].strip() for line in text.splitlines())
    assert all(word.strip("(),") in first.replace(" ", "") for word in label.split() if len(word) < 12)


def test_a_board_skips_what_cannot_be_read_and_counts_it(command: Command) -> None:
    store = Store(Path("s"))
    for seed in range(4):
        own, found = made(seed=seed)
        store.write(own, found)
    folders = sorted(Path("s").iterdir())
    (folders[0] / "record.json").write_text("{")
    (folders[1] / "predictions.parquet").write_bytes(b"PAR1")
    said = command("leaderboard", "--store", "s", "--json")
    assert said.code == 0
    assert f"skipped {folders[0]}: record.json is no Record" in said.err
    assert "1 of 4 Records skipped" in said.err
    assert str(folders[1]) in said.err
    rows = [row for block in json.loads(said.out)["blocks"] for row in block["rows"]]
    assert [len(row["seeds"]) for row in rows] == [2, 2]
