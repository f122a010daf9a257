"""A Task: languages x splits x labels. Data only; which languages form a group is said in `groups.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from xlt_bench.errors import ConfigError

if TYPE_CHECKING:  # listing tasks and their groups needs no arrays
    import numpy as np
    from numpy.typing import NDArray

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


class Example(NamedTuple):
    """One input. Labels travel apart from it (`Labelled`), so that a test item never carries its answer.

    `rendering` is text and text_pair in a source language, for methods alone that declare that they read it.
    """

    id: str
    language: str
    text: str
    text_pair: str | None = None
    rendering: tuple[str, str | None] | None = None


@dataclass(frozen=True)
class Labelled:
    """Examples with their gold classes.

    `gold` has shape (items,), int64, indices into the task's `labels`.
    """

    examples: tuple[Example, ...]
    gold: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.examples) != len(self.gold):
            raise ValueError(f"{len(self.examples)} examples but {len(self.gold)} gold labels")

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, index: Sequence[int] | NDArray[np.int64]) -> Labelled:
        """The items at these positions, in this order."""
        chosen = [int(i) for i in index]
        return Labelled(tuple(self.examples[i] for i in chosen), self.gold[chosen])


def concatenate(parts: Iterable[Labelled]) -> Labelled:
    """All parts one after the other."""
    import numpy as np

    listed = list(parts)
    examples = tuple(example for part in listed for example in part.examples)
    return Labelled(examples, np.concatenate([np.zeros(0, np.int64), *(part.gold for part in listed)]))


@dataclass(frozen=True)
class Language:
    """What is known about a language. `joshi` is its class in Joshi et al. (2020), None where it has none."""

    code: str
    name: str
    script: str
    family: str
    joshi: int | None


@dataclass(frozen=True)
class Task:
    """Languages x splits x labels, loaded and checked.

    Attributes:
        labels: class names; gold values index into them.
        languages: by code (`deu_Latn`: ISO 639-3 and ISO 15924), in the task's order.
        data: language code -> split -> labelled items.
        clusters: id of each test item -> its cluster (items of one article or one premise, say), which the statistics
            resample as a whole; empty where each item stands for itself. No part of `fingerprint`: what is learned and
            answered does not depend on it.
    """

    name: str
    labels: tuple[str, ...]
    languages: Mapping[str, Language]
    data: Mapping[str, Mapping[Split, Labelled]]
    clusters: Mapping[str, str] = field(default_factory=dict)

    def split(self, language: str, split: Split) -> Labelled:
        """The labelled items of one language's split."""
        return self.data[language][split]

    def pool(self, languages: Iterable[str], split: Split) -> Labelled:
        """The split of several languages in one, in the task's order of languages (not the caller's)."""
        codes = set(languages)
        return concatenate(self.data[code][split] for code in self.languages if code in codes)

    def check_trainable(self, languages: Iterable[str], option: str) -> None:
        """Refuse to train on languages of which the task has test items only.

        Args:
            option: what they are for, as the user wrote it (`--sources 'seen'`); the error begins with it.

        Raises:
            ConfigError: a language without a train or a dev split.
        """
        trainable = [code for code in self.languages if self.data[code]["train"] and self.data[code]["dev"]]
        missing = [code for code in languages if code not in trainable]
        if missing:
            raise ConfigError(
                f"{option}: task {self.name} has no train and dev split for {_first(missing)}; "
                f"it has them for {_first(trainable) or 'none'}"
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every label, id, text and gold value: Records with other fingerprints are never ranked together."""
        digest = hashlib.sha256("\x1f".join(self.labels).encode())
        for code, split in self._splits():
            part = self.data[code][split]
            digest.update(f"\x1e{code}\x1f{split}".encode())
            for example, gold in zip(part.examples, part.gold, strict=True):
                digest.update(f"\x1d{example.id}\x1f{example.text}\x1f{example.text_pair or ''}\x1f{gold}".encode())
        return digest.hexdigest()[:16]

    def _splits(self) -> Iterator[tuple[str, Split]]:
        return ((code, split) for code in self.languages for split in SPLITS)


def _first(codes: Sequence[str], most: int = 8) -> str:
    return ", ".join(codes[:most]) + (", ..." if len(codes) > most else "")


@dataclass(frozen=True)
class TaskInfo:
    """A task before it is loaded: what `ls tasks` shows and which defaults `run` takes.

    `load` takes a data folder (None: the task's own source) and returns the checked Task;
    `groups` takes a backbone's name and returns the named groups known for this (task, backbone) pair.
    `full_targets` names the groups that the full protocol adapts to and shows by default; those that are known for the
    backbone are taken, all targets where none is.
    `files` takes a data folder as `load` does and returns all files and folders that are read then; None where nobody
    can name them, as those of the hub. Who names them has plans of studies remembered as long as they do not change.
    `languages` gives what is known of the task's languages, in its order, without loading it.
    `primary` is the target group that the task's main question is about: tests on it are confirmatory, those on other
    groups exploratory; None: the task declares none.
    `low_performing_with` is the backbone with which the group `low-performing` was measured; None: the one that
    `groups` is called with.
    `metric` names the one that the task is judged by, which boards, comparisons and reports show unless told otherwise.
    `max_length` is the number of tokens of a text that are kept; None: as many as the preset says.
    `caveats` are sentences that every board of the task shows.
    """

    name: str
    summary: str
    backbone: str
    preset: str
    seeds: int
    load: Callable[[Path | None], Task]
    groups: Callable[[str], Mapping[str, frozenset[str]]]
    full_targets: tuple[str, ...] = ()
    full_seeds: int = 6
    files: Callable[[Path | None], Sequence[Path] | None] = lambda folder: None
    languages: Callable[[], Mapping[str, Language]] = dict
    primary: str | None = None
    low_performing_with: str | None = None
    metric: str = "accuracy"
    max_length: int | None = None
    licence: str = ""
    citation: str = ""
    caveats: tuple[str, ...] = ()
