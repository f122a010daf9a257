"""A Cell: one seed of one configuration, as plain data; what identifies a run and a row of the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any, Literal

Protocol = Literal["zero-shot", "full", "prompted"]
"""The name of a protocol; what each does is said in `xlt_bench.runs.protocols`."""
ZERO_SHOT: Protocol = "zero-shot"
FULL: Protocol = "full"
PROMPTED: Protocol = "prompted"

PredictedSplit = Literal["test", "dev"]
SCHEMA = 1


@dataclass(frozen=True)
class Cell:
    """One seed of one configuration; in the `full` protocol one seed and one target.

    Attributes:
        task_hash, backbone_hash: of the data and of the backbone's files.
        preset, recipe: the preset's name and every value it stands for; None for methods without a backbone, and for
            those that train nothing.
        sources: language codes, in the task's order; empty where a target's own train split is the source, or a prompt
            has no demonstrations.
        targets: language codes that are predicted.
        shots: labelled examples of the target that the `full` protocol trains on; None: all of its train split.
        examples: labelled examples of the sources, all languages together, that are trained on; None: all.
        init_from: hash of the weights that training starts from; None: random ones.
        tuned: trials of the search on source dev that chose the setting; None: nobody searched.
        predicts: the split that is predicted: `test` of the targets; or, in a trial of a search, `dev` of the sources,
            as much of it as selects the checkpoint.
        resources: name of what the method declares beside labelled sources, with its origin where that is not the usual
            one (see `xlt_bench.resources.identities`) -> hash of what it was handed.
        prompt: of a method that asks a language model, `template`, `demonstrations` and, where it is no backbone,
            `model` (see `xlt_bench.method.Prompting`); None for methods that train.
    """

    task: str
    task_hash: str
    backbone: str
    backbone_hash: str
    method: str
    hyperparameters: Mapping[str, Any]
    preset: str | None
    recipe: Mapping[str, Any] | None
    sources: tuple[str, ...]
    protocol: Protocol
    targets: tuple[str, ...]
    precision: str
    seed: int
    shots: int | None = None
    examples: int | None = None
    init_from: str | None = None
    tuned: int | None = None
    predicts: PredictedSplit = "test"
    resources: Mapping[str, str] = field(default_factory=dict)
    prompt: Mapping[str, Any] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Identity of this run: 16 hex digits. Device, and which seeds were trained together, are no part of it."""
        return _digest(self._identity())

    @cached_property
    def configuration(self) -> str:
        """Identity of the configuration, a row of the board: the seed left out, in `full` the target too."""
        identity = self._identity()
        del identity["seed"]
        if self.learns_target:
            del identity["targets"]
        return _digest(identity)

    @property
    def learns_target(self) -> bool:
        """Whether labelled examples of its target are learned from, so that each target is a cell of its own."""
        return self.protocol == FULL

    @property
    def learned_languages(self) -> tuple[str, ...]:
        """Those with labels that are learned from."""
        return (*self.sources, *(self.targets if self.learns_target else ()))

    @property
    def adapts(self) -> bool:
        """Whether it is a second stage: from a fit on the sources to one target."""
        return self.learns_target and bool(self.sources)

    @property
    def fits(self) -> tuple[str, ...]:
        """Names of the fits that it takes, as claims and checkpoints bear them: its own, and the one it adapts from."""
        return (self.fingerprint, self.source_fit) if self.adapts else (self.fingerprint,)

    @cached_property
    def source_fit(self) -> str:
        """Identity of the fit on the sources, which the cells of one seed share."""
        identity = self._identity()
        for name in ("protocol", "targets", "shots"):
            identity.pop(name, None)
        if self.recipe is not None:
            identity["recipe"] = {key: value for key, value in self.recipe.items() if key != "target"}
        return _digest({"stage": "sources", **identity})

    def _identity(self) -> dict[str, Any]:
        identity = self.as_json()
        del identity["backbone"]  # a folder or a hub id: the hash tells what it holds
        for name in ("shots", "examples", "init_from", "tuned", "prompt"):
            if identity[name] is None:
                del identity[name]
        if self.predicts == "test":
            del identity["predicts"]
        if not self.resources:
            del identity["resources"]
        return identity

    def as_json(self) -> dict[str, Any]:
        """Plain data; tuples become lists."""
        plain = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Cell:
        """The inverse of `as_json`."""
        return Cell(**{**plain, **{name: tuple(plain[name]) for name in TUPLES}})

    @staticmethod
    def of_known_identity(values: Mapping[str, Any], fingerprint: str, configuration: str) -> Cell:
        """A cell of which the identity was computed and checked before; hashing 10,000 of them takes a second.

        Args:
            values: of every field, tuples as such.
        """
        cell = object.__new__(Cell)  # a frozen dataclass sets its fields one by one, ten times as slowly
        vars(cell).update(values, fingerprint=fingerprint, configuration=configuration)  # where cached_property looks
        return cell


TUPLES = ("sources", "targets")
"""Fields that are lists in JSON."""


def _digest(identity: Mapping[str, Any]) -> str:
    import hashlib  # the command line imports this file for its names alone

    return hashlib.sha256(_canonical()({"schema": SCHEMA, **identity}).encode()).hexdigest()[:16]


@cache
def _canonical() -> Callable[[Any], str]:
    """From plain data to the JSON that is hashed."""
    import json

    return json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode
