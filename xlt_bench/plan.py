"""A Cell is one seed of one configuration, as plain data; planning lists cells and runs nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

from xlt_bench.errors import ConfigError

Protocol = Literal["zero-shot", "full"]
SCHEMA = 1
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Cell:
    """One seed of one configuration; in the `full` protocol one seed and one target.

    Attributes:
        task_hash, backbone_hash: of the data and of the backbone's files.
        preset, recipe: the preset's name and every value it stands for; None for methods without a backbone.
        sources: language codes, in the task's order; empty where a target's own train split is the source.
        targets: language codes that are predicted.
        shots: labelled examples of the target that the `full` protocol trains on; None: all of its train split.
        examples: labelled examples of the sources, all languages together, that are trained on; None: all.
        init_from: hash of the weights that training starts from; None: random ones.
        tuned: trials of the search on source dev that chose the setting; None: nobody searched.
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

    @cached_property
    def fingerprint(self) -> str:
        """Identity of this run: 16 hex digits. Device, and which seeds were trained together, are no part of it."""
        return _digest(self._identity())

    @cached_property
    def configuration(self) -> str:
        """Identity of the configuration, a row of the board: the seed left out, in `full` the target too."""
        identity = self._identity()
        del identity["seed"]
        if self.protocol == "full":
            del identity["targets"]
        return _digest(identity)

    @property
    def adapts(self) -> bool:
        """Whether it is a second stage: from a fit on the sources to one target."""
        return self.protocol == "full" and bool(self.sources)

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
        for name in ("shots", "examples", "init_from", "tuned"):
            if identity[name] is None:  # as before there were any
                del identity[name]
        return identity

    def as_json(self) -> dict[str, Any]:
        """Plain data; tuples become lists."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Cell:
        """The inverse of `as_json`."""
        return Cell(**{**plain, "sources": tuple(plain["sources"]), "targets": tuple(plain["targets"])})


def _digest(identity: Mapping[str, Any]) -> str:
    canonical = json.dumps({"schema": SCHEMA, **identity}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def cells(
    template: Cell, seeds: Sequence[int], shots: Sequence[int | None] = (None,), unadapted: Cell | None = None
) -> list[Cell]:
    """All cells of a configuration: every seed; in the `full` protocol every seed, target and number of examples.

    With 0 examples a source fit is not adapted, which is the zero-shot protocol: one cell a seed for all targets.

    Args:
        unadapted: the template of such cells.
    """
    if template.protocol == "zero-shot":
        return [replace(template, seed=seed) for seed in seeds]
    unadapted = unadapted or replace(template, protocol="zero-shot")
    return [
        cell
        for seed in seeds
        for count in shots
        for cell in (
            [replace(unadapted, seed=seed)]
            if count == 0
            else [replace(template, seed=seed, targets=(target,), shots=count) for target in template.targets]
        )
    ]


def parse_shots(text: str) -> tuple[int | None, ...]:
    """`0,8,32,all`: numbers of labelled target examples; `all` is None.

    Raises:
        ConfigError: a part that is neither a number nor `all`, or one given twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part == "all" or (part.isdecimal() and part.isascii()) for part in parts):
        raise ConfigError(f"--shots takes numbers of labelled target examples such as 8,32,128 or all, not '{text}'")
    found = tuple(None if part == "all" else int(part) for part in parts)
    if len(set(found)) < len(found):
        raise ConfigError(f"--shots {text} names a number twice; name each once")
    return found


def parse_seeds(text: str) -> tuple[int, ...]:
    """`3` means seeds 0, 1, 2; `4,7` means those; `4,` means seed 4 alone.

    Raises:
        ConfigError: no seed, no number, a seed named twice, one that is no 32-bit number, or more seeds than can be.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts[-1:] = []
    if not all(part.isdecimal() and part.isascii() for part in parts):
        raise ConfigError(f"--seeds takes a count such as 3 or seeds such as 4,7, not '{text}'")
    numbers = tuple(int(part) for part in parts)
    if "," not in text:
        if numbers[0] > MOST_SEEDS:
            raise ConfigError(
                f"--seeds {text} asks for {text} runs, more than {MOST_SEEDS}; for seed {text} alone: --seeds {text},"
            )
        numbers = tuple(range(numbers[0]))
    return check_seeds(numbers)


def check_seeds(numbers: Sequence[int]) -> tuple[int, ...]:
    """These seeds, or a ConfigError: none, one twice, or one that is no 32-bit number."""
    if not numbers:
        raise ConfigError("--seeds 0 asks for no run; give at least 1")
    if len(set(numbers)) < len(numbers):
        raise ConfigError(f"--seeds {','.join(map(str, numbers))} names a seed twice; name each once")
    wrong = [number for number in numbers if not hasattr(number, "__index__") or not 0 <= number < 2**32]
    if wrong:
        raise ConfigError(f"a seed is a whole number from 0 to {2**32 - 1}, not {wrong[0]}")
    return tuple(int(number) for number in numbers)
