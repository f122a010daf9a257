"""Stored baselines: published results as data, each with evidence, setting, source, licence and caveat.

How these become rows of the board ("a stored baseline is a Record", DESIGN). What a Record needs and where it is:

- task and task hash: `task`, and for sib200 `TASK_HASH`: its `per_item` predictions are of the items that the data set
  with this hash has, in its order of languages and items, so `predictions.item_hash()` equals that of a run on all
  205 languages. For the other levels the items are not known to be the same; of another task no hash is claimed, and
  its figures stand on the board of whatever data of that task there are.
- identity: `name` is unique and stable; with `source` and `reference` it is what a fingerprint should be made of.
  There is no seed; `runs` says how many runs a published mean covers. A `per_item` baseline is one run: an interval
  over items, marked "one run", and no variance between seeds.
- method, label, sources: `system`, `label`, `sources` (codes in the task's order) and `sources_label`.
- protocol: no cell's. `setting` takes its place as what rows of one section have in common; "cross-lingual zero-shot"
  is the harness's `zero-shot`, "sequential transfer" its `full`, and the rest have no counterpart.
- backbone: part of what the system is, and none of the harness's; compared across, never ranked as the same backbone.
- evidence, origin: `evidence` and `source` with `reference`; `caveat` and `licence` go where the row's notes are shown.
- accuracy by language: `accuracy`, macro-F1: `macro_f1`; a group's number with the languages behind it: `per_group`.
- which of several levels of one system is the default row: `best_evidence`.

A prediction of "" names no class: wrong for accuracy, and for macro-F1 a miss of the gold class and of no other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast, get_args

from xlt_bench.baselines.items import read_sheet
from xlt_bench.baselines.tables import PACKAGE, read_accuracies
from xlt_bench.records.answers import Sheet
from xlt_bench.records.record import Evidence, Predictions
from xlt_bench.tasks import task_info

Setting = Literal[
    "zero-shot prompt",
    "3-shot prompt",
    "linear probe",
    "fine-tuned on the language",
    "cross-lingual zero-shot",
    "cross-task zero-shot",
    "sequential transfer",
    "translate-train",
    "translate-test",
    "no text read",
]
SETTINGS: tuple[Setting, ...] = get_args(Setting)
NO_TEXT: Setting = "no text read"
"""Of floors that know the items and not their texts."""
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
"""From the strongest to the weakest."""

SIB200 = "sib200"
"""The task of a source that names none."""

TASK_HASH = "780be407e111b985"
"""`Task.fingerprint` of sib200, whose test items the per-item baselines answered."""

_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Baseline:
    """One system's published result.

    Attributes:
        name: unique, `place/system`, such as `mteb/bge-m3`.
        label: as a table shows it.
        system: what it is; rows with the same system, setting and sources tell of the same thing.
        sources: languages from which the task was learned, in the task's order; None where that was the target itself,
            or nothing (a prompt). `sources_label` names them as a group, a code, or `none`.
        source, reference: the publication, and its commit or page.
        runs: how many runs the figures average, None where the place does not say.
        task: name of the task.
        by_language, by_group: accuracy in [0, 1] as published; which is filled, `evidence` says.
        macro_f1: by language, as published; with `per_language` evidence, beside the accuracy or alone.
        file: of the predictions, for `per_item` evidence.
    """

    name: str
    label: str
    system: str
    setting: Setting
    evidence: Evidence
    source: str
    reference: str
    licence: str
    caveat: str
    task: str
    sources: tuple[str, ...] | None = None
    sources_label: str = "none"
    runs: int | None = None
    by_language: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    macro_f1: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    by_group: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    file: str | None = None

    @property
    def task_hash(self) -> str:
        """Of the data that the figures are of; empty where that is not known."""
        return TASK_HASH if self.task == SIB200 else ""

    @cached_property
    def sheet(self) -> Sheet | None:
        """The answers, read at the first use; None but for `per_item` evidence."""
        return read_sheet(self.file) if self.file else None

    @cached_property
    def predictions(self) -> Predictions | None:
        """The answers, one row an item."""
        return None if self.sheet is None else self.sheet.predictions()

    @cached_property
    def accuracy(self) -> Mapping[str, float]:
        """Accuracy in [0, 1] by language, from the predictions where there are any; empty for `aggregate` evidence."""
        predictions = self.predictions
        return self.by_language if predictions is None else MappingProxyType(predictions.accuracy())


class GroupValue(NamedTuple):
    """A baseline on a group of languages.

    Attributes:
        value: accuracy in [0, 1], plain mean over `languages` or as published; None where nothing is known.
        languages: those behind the value, `missing` those that the baseline lacks,
            `sources` those left out because the baseline learned from them.
    """

    value: float | None
    languages: tuple[str, ...]
    missing: tuple[str, ...]
    sources: tuple[str, ...] = ()


def baselines() -> list[Baseline]:
    """All stored baselines, in the order of their sources. Predictions are not read yet."""
    return list(_baselines())


def best_evidence(stored: Iterable[Baseline]) -> list[Baseline]:
    """Of each system in one setting, from one set of sources, the result with the strongest evidence; order kept."""
    best: dict[tuple[str, str, str, tuple[str, ...] | None], Baseline] = {}
    listed = list(stored)
    for baseline in sorted(listed, key=lambda baseline: EVIDENCE.index(baseline.evidence)):
        best.setdefault((baseline.task, baseline.system, baseline.setting, baseline.sources), baseline)
    chosen = {baseline.name for baseline in best.values()}
    return [baseline for baseline in listed if baseline.name in chosen]


def per_group(baseline: Baseline, codes: Iterable[str]) -> GroupValue:
    """A baseline's mean over languages; its own sources are left out, those it lacks are listed.

    A published mean (`aggregate`) is given for exactly the group that it was published for, and for no other.
    """
    group = tuple(codes)
    sources = tuple(code for code in group if code in (baseline.sources or ()))
    targets = tuple(code for code in group if code not in sources)
    if baseline.evidence == "aggregate":
        names = (name for name in baseline.by_group if task_groups(baseline.task)[name] == frozenset(group))
        value = next((baseline.by_group[name] for name in names), None)
        return GroupValue(value, (), targets, sources) if value is None else GroupValue(value, targets, (), sources)
    present = tuple(code for code in targets if code in baseline.accuracy)
    missing = tuple(code for code in targets if code not in baseline.accuracy)
    mean = sum(baseline.accuracy[code] for code in present) / len(present) if present else None
    return GroupValue(mean, present, missing, sources)


@cache
def _baselines() -> tuple[Baseline, ...]:
    text = files(PACKAGE).joinpath("data/sources.toml").read_text(encoding="utf-8")
    return tuple(baseline for source in tomllib.loads(text)["source"] for baseline in _of_source(source))


def _of_source(source: Mapping[str, Any]) -> Iterator[Baseline]:
    """A baseline for each column of the source's files, or for each system where every system has its own file."""
    systems = source.get("system", {})
    accuracies, f1_scores = (read_accuracies(source[key]) if key in source else {} for key in ("file", "macro_f1_file"))
    for column in dict.fromkeys([*accuracies, *f1_scores]) or systems:
        yield _baseline(
            source,
            column,
            systems.get(column, {}),
            accuracies.get(column, _NOTHING),
            f1_scores.get(column, _NOTHING),
        )


def _baseline(
    source: Mapping[str, Any],
    column: str,
    system: Mapping[str, Any],
    accuracies: Mapping[str, float],
    f1_scores: Mapping[str, float],
) -> Baseline:
    facts = {**source, **system}
    evidence = cast(Evidence, facts["evidence"])
    task = facts.get("task", SIB200)
    slug = re.sub(r"[^a-z0-9.]+", "-", column.rpartition("/")[2].lower()).strip("-")
    return Baseline(
        name=f"{source['key']}/{slug}",
        label=facts.get("label", column),
        system=system.get("system", slug),
        setting=cast(Setting, facts["setting"]),
        evidence=evidence,
        source=source["title"],
        reference=source["reference"],
        licence=source["licence"],
        caveat=" ".join(part["caveat"] for part in (source, system) if "caveat" in part),
        task=task,
        sources=_sources(task, facts["sources"]) if "sources" in facts else None,
        sources_label=facts.get("sources", "none"),
        runs=facts.get("runs"),
        by_language=accuracies if evidence == "per_language" else _NOTHING,
        macro_f1=f1_scores,
        by_group=accuracies if evidence == "aggregate" else _NOTHING,
        file=f"{column}.csv" if evidence == "per_item" else None,
    )


@cache
def task_groups(task: str) -> Mapping[str, frozenset[str]]:
    """The groups of a task with the backbone that it takes by default."""
    info = task_info(task)
    return info.groups(info.backbone)


@cache
def task_codes(task: str) -> tuple[str, ...]:
    """The languages of a task, in its order."""
    return tuple(task_info(task).languages())


@cache
def _sources(task: str, name: str) -> tuple[str, ...]:
    """The languages of a group, in the task's order, or the one language, which the task need not have."""
    members = task_groups(task).get(name)
    return (name,) if members is None else tuple(code for code in task_codes(task) if code in members)
