"""Names of rows. What a row is called follows from its cell and the defaults when it is shown, and is no part of a run.

So two ways of asking for one run give one row of one name, whoever ran first. A name that a user gives instead lies
beside the Records, by configuration, in `labels.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from xlt_bench.errors import ConfigError, StoreError
from xlt_bench.io.atomic import replace_file
from xlt_bench.io.texts import clean, shortened
from xlt_bench.records.cell import Cell

LABELS = "labels.json"
_RECIPE_WORDS = {"read_out": "read {value}", "text_prefix": "prefix '{value}'", "max_length": "{value} tokens"}

LONGEST = 80
"""Characters of a name that a user gives."""


class Labels:
    """The names that users gave to rows of a store.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Mapping[str, str]:
        """Name by configuration.

        Raises:
            StoreError: the file cannot be read.
        """
        path = self._folder / LABELS
        try:
            labels = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(f"{path} cannot be read ({shortened(error)}); mend or remove it") from error
        if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
            raise StoreError(f"{path} is no table of names by configuration; mend or remove it")
        return labels

    def write(self, configuration: str, text: str) -> None:
        """Name a row; an empty text gives it back the name that follows from its cell.

        Raises:
            ConfigError: a name that tables cannot show.
            StoreError: the store cannot be written.
        """
        if text != clean(text) or len(text) > LONGEST:
            raise ConfigError(f"a label is one line of at most {LONGEST} plain characters, not {text[:LONGEST]!r}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / f".{LABELS}.lock"):
                labels = {**self.read(), configuration: text}
                named = {key: label for key, label in sorted(labels.items()) if label}
                replace_file(self._folder / LABELS, f"{json.dumps(named, indent=1, ensure_ascii=False)}\n".encode())
        except OSError as error:
            raise StoreError(f"{self._folder / LABELS} cannot be written: {error.strerror or error}") from error


def derived_label(cell: Cell, method_label: str, defaults: Mapping[str, Any]) -> str:
    """The name that follows from a cell: of the method, and what differs from the defaults.

    Args:
        method_label: what the method calls itself with these hyper-parameters.
        defaults: `preset` of the task and `recipe` of the method under the cell's preset; empty without a backbone.
    """
    parts = [method_label, *differences(cell, defaults)]
    if cell.learns_target:
        parts += adapting_differences(cell, defaults)
    parts += [f"{cell.examples} examples"] if cell.examples is not None else []
    parts += [f"{cell.shots} shots"] if cell.shots is not None else []
    return ", ".join(parts)


def differences(cell: Cell, defaults: Mapping[str, Any]) -> list[str]:
    """What differs from the defaults in the fit, apart from how many examples there are and how it adapts."""
    parts = []
    if cell.recipe is not None and defaults:
        parts += [f"preset {cell.preset}"] if cell.preset != defaults["preset"] else []
        parts += _recipe_differences(cell, cell.recipe, defaults["recipe"])
    if cell.precision == "bf16":
        parts.append("bf16")
    if cell.prompt is not None and "model" not in cell.prompt:  # several backbones stand in one table
        parts.append(Path(cell.backbone).name)
    if cell.init_from is not None:
        parts.append(f"from {cell.init_from[:8]}")
    if cell.tuned is not None:
        parts.append(f"tuned ({cell.tuned})")
    return parts


def adapting_differences(cell: Cell, defaults: Mapping[str, Any]) -> list[str]:
    """The budget of adapting to a target, where it is not the default."""
    if not cell.sources or cell.recipe is None or not defaults:
        return []
    steps = cell.recipe["target"]["steps"]
    return [f"{steps} target steps"] if steps != defaults["recipe"]["target"]["steps"] else []


def _recipe_differences(cell: Cell, recipe: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[str]:
    # without sources the one fit is on the target, and has its budget
    source = default["source" if cell.sources else "target"]
    if recipe["source"]["steps"] != source["steps"]:
        yield f"{recipe['source']['steps']} steps"
    if cell.tuned is None:  # else the search chose them
        yield from _rate_differences(recipe["rates"], default["rates"])
    for name, value in recipe.items():
        if name not in ("source", "target", "rates") and value != default.get(name):
            yield _RECIPE_WORDS.get(name, "{name}={value}").format(name=name, value=shortened(value, 24))


def _rate_differences(rates: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[str]:
    """Factors on the learning rates, of all roles but the head and of the head."""
    factors = {role: f"{rates[role]['learning_rate'] / default[role]['learning_rate']:g}" for role in rates}
    head = factors.pop("head", "1")
    body = set(factors.values())
    if body | {head} == {"1"}:
        return
    yield f"rates x{body.pop()}, head x{head}" if len(body) == 1 else "other rates"
