"""What a resource is: data beside the labelled sources that a method may use if it declares it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from xlt_bench.errors import MethodError
from xlt_bench.task import Example, Task


class Text(NamedTuple):
    """A text, or a pair of texts, without id, label or position in a file."""

    text: str
    text_pair: str | None = None


TextsByLanguage = Mapping[str, tuple[Text, ...]]


def without_order(examples: Iterable[Example]) -> tuple[Text, ...]:
    """The texts alone, in the order of a hash of the text itself: neither id nor place leads back to a label."""
    return tuple(sorted((Text(example.text, example.text_pair) for example in examples), key=hash_of))


def hash_of(text: Text) -> str:
    """Of what a text says, 64 hex digits."""
    return hashlib.sha256(f"{text.text}\x1f{text.text_pair or ''}".encode()).hexdigest()


@dataclass(frozen=True)
class Scope:
    """The run that a resource is for.

    Attributes:
        sources, targets: language codes; no sources where each target's own labels are learned from.
        path: the file or folder that the user named for this resource.
    """

    task: Task
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    path: Path | None = None


@dataclass(frozen=True)
class Supply:
    """A resource as one run gets it.

    Attributes:
        content: what `context.resources` gives; nothing in it can be changed.
        note: what a reader of the run's numbers must know of it, a sentence.
        origin: where the content is from, in a word, if not from where it is from as a rule: boards tell such runs from
            others, and rank them among themselves.
    """

    content: Any
    note: str
    origin: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of the content, 16 hex digits."""
        plain = json.dumps(_plain(self.content), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(plain.encode()).hexdigest()[:16]


class Resource(Protocol):
    """A kind of extra data. Without state.

    Attributes:
        name: in a method's `needs`, in Records and on boards.
        summary: what it is, in half a line.
        path: what `--resource NAME=...` takes for it, FILE or FOLDER; None: it takes none and follows from the task.
        needs_path: whether it must be given; else it follows from the task without.
    """

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def path(self) -> str | None: ...

    @property
    def needs_path(self) -> bool: ...

    def supply(self, scope: Scope) -> Supply:
        """The content for a run.

        Raises:
            ConfigError: the task, the sources or the user's files cannot give it.
        """

    def example(self, scope: Scope, folder: Path) -> Path | None:
        """Write into a folder a small file or folder such as a user would name, for checks of methods; its path.

        None of a resource that needs none. What is written follows from the classes and the sources alone.
        """


@dataclass(frozen=True)
class Resources:
    """What a method is handed: the content of each resource that it declares, by name, and of no other."""

    contents: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name in self.contents:
            return self.contents[name]
        raise MethodError(undeclared(name))

    def __contains__(self, name: object) -> bool:
        return name in self.contents

    def __iter__(self) -> Iterator[str]:
        return iter(self.contents)


def undeclared(name: str) -> str:
    """Why a resource is refused, and how a method gets it."""
    return (
        f"this method uses the resource '{name}' without declaring it; "
        f"write needs: ClassVar[frozenset[str]] = frozenset({{'{name}'}}) in its class"
    )


def listed(codes: Iterable[str], most: int = 5) -> str:
    """The first of some language codes, and how many there are besides."""
    ordered = list(codes)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more


def _plain(content: Any) -> Any:
    """As JSON has it; the order of a mapping's keys says nothing."""
    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(part) for part in content] if isinstance(content, tuple) else content
