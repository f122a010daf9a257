"""A store of many Records that no run made, for measuring what a store costs as it grows.

    python -m benchmarks.big_store FOLDER --data-dir SIB200/data [--runs 2000] [--adaptations 8000]

Cells are those that the study plans (SIB-200, backbone nano): 40 rows of 10 seeds, which are zero-shot runs on all 205
languages, and 20 rows of 10 seeds, which are adaptations to 40 targets each. Of the runs, every further 400 have the
cells of another backbone, so that no table has more than 40 rows. What a Record holds beside its cell and its answers
is that of a reference Record of the same method; items and gold classes are SIB-200's, and which answers are right is
drawn at random, as often as the method, the language and the seed have it.

The study lies in FOLDER/study.toml afterwards, the Records in FOLDER/store.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store
from xlt_bench.runs.request import Request
from xlt_bench.studies.catalogue import find_study
from xlt_bench.studies.planning import Planned, plan_study
from xlt_bench.task import Task
from xlt_bench.tasks import task_info

REFERENCE = Path(__file__).parent.parent / "leaderboard/reference"
RUNS_A_BACKBONE = 400
_TARGETS = 40

STUDY = """title = "A big store"
question = "What does a store of 10,000 Records cost?"

[[grid]]
methods = ["spt", "xpe", "dual-30", "dual-70"]
sources = ["joshi5", "enarzho"]
targets = "sources,all-wo-joshi5,unseen,low-performing"
sweep = {{ n_tokens = [4, 8, 12, 16, 20] }}
seeds = 10

[[grid]]
methods = ["spt", "xpe", "dual-30", "dual-70"]
sources = ["joshi5"]
protocol = "full"
targets = "{targets}"
shots = [8, 16, 32, 64, 128]
seeds = 10

[report]
form = "board"
"""


class Answers:
    """Answers to a task's test items, drawn at random."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._labels = np.array(task.labels, object)
        ids = [example.id for example in task.split(next(iter(task.languages)), "test").examples]
        self._ids = np.array(ids, object)
        self._gold = {code: task.split(code, "test").gold for code in task.languages}
        self._hashes: dict[tuple[str, ...], str] = {}

    def of(self, cell: Cell) -> tuple[Predictions, dict[str, float], str]:
        """The answers of a run, its accuracy by language and its hash of items.

        How often it is right depends most on the language, less on the method and the seed. Accuracy and hash are those
        of `Predictions`, computed more quickly.
        """
        seed = int(cell.fingerprint[:8], 16)
        drawn = np.random.default_rng(seed)
        ease = np.random.default_rng(7).uniform(0.25, 0.75, len(self._gold))
        by_code = dict(zip(self._gold, ease, strict=True))
        method = int(cell.configuration[:4], 16) / 2**16
        parts = []
        for code in cell.targets:
            gold = self._gold[code]
            right = drawn.random(len(gold)) < by_code[code] + 0.1 * method + drawn.normal(0, 0.02)
            wrong = (gold + drawn.integers(1, len(self._labels), len(gold))) % len(self._labels)
            parts.append(np.where(right, gold, wrong))
        count = len(self._ids)
        predictions = Predictions(
            language=np.repeat(np.array(cell.targets, object), count),
            item_id=np.tile(self._ids, len(cell.targets)),
            gold=self._labels[np.concatenate([self._gold[code] for code in cell.targets])],
            predicted=self._labels[np.concatenate(parts)],
        ).clustered(self._task.clusters)
        if cell.targets not in self._hashes:
            self._hashes[cell.targets] = predictions.item_hash()
        shares = predictions.correct.reshape(len(cell.targets), count).mean(axis=1)
        return predictions, dict(zip(cell.targets, shares.tolist(), strict=True)), self._hashes[cell.targets]


def write_store(folder: Path, data_dir: Path, runs: int, adaptations: int) -> None:
    """Write the study and its Records."""
    folder.mkdir(parents=True, exist_ok=True)
    task = task_info("sib200").load(data_dir)
    study_file = folder / "study.toml"
    sources = task_info("sib200").groups("nano")["joshi5"]
    targets = [code for code in task.languages if code not in sources][:_TARGETS]
    study_file.write_text(STUDY.format(targets="+".join(targets)), encoding="utf-8")
    store = Store(folder / "store")
    planned = plan_study(
        find_study(str(study_file)), Request(task="sib200", data_dir=data_dir, backbone="nano", store=store.folder)
    )
    templates = {record.cell.method: record for record in Store(REFERENCE).records()[0]}
    answers = Answers(task)
    zero_shot, full = ([part for part in planned if part.grid == grid] for grid in (0, 1))
    chosen = [*islice(_repeated(zero_shot), runs), *islice(_cells(full), adaptations)]
    for part, cell in chosen:
        if store.folder_of(cell.fingerprint).exists():  # of an earlier call that was stopped
            continue
        predictions, accuracy, item_hash = answers.of(cell)
        template = replace(templates[cell.method], accuracy=accuracy, item_hash=item_hash, labels=task.labels)
        store.write(_record(part, cell, template), predictions)


def _cells(planned: list[Planned]) -> Iterator[tuple[Planned, Cell]]:
    """Seed by seed, so that the first cells are of all rows."""
    for seed in range(max(cell.seed for part in planned for cell in part.cells) + 1):
        for part in planned:
            yield from ((part, cell) for cell in part.cells if cell.seed == seed)


def _repeated(planned: list[Planned]) -> Iterator[tuple[Planned, Cell]]:
    """The cells again and again, with another backbone each time."""
    yield from _cells(planned)
    for number in range(2, 1_000):
        name, digits = f"nano-{number}", f"{number:016x}"
        yield from ((part, replace(cell, backbone=name, backbone_hash=digits)) for part, cell in _cells(planned))


def _record(part: Planned, cell: Cell, template: Record) -> Record:
    assert part.experiment is not None, "it has cells"
    setup = part.experiment.setup
    groups: Mapping[str, tuple[str, ...]] = dict(setup.groups)
    return replace(
        template,
        cell=cell,
        label=setup.configured.label,
        sources_label=setup.sources_label,
        groups=groups,
        defaults=setup.defaults,
        pack=(cell.seed,),
    )


def main() -> None:
    """Write it; nothing is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--adaptations", type=int, default=8_000)
    options = parser.parse_args()
    write_store(options.folder, options.data_dir, options.runs, options.adaptations)


if __name__ == "__main__":
    main()
