"""Which languages a backbone saw in pre-training: one table a list, each with its source in its head.

A table is comma-separated: `code`, `seen` (yes; unknown: the source does not settle it) and `listed_as`, what stands
for the language in the source. Its head says, as `# key: value`, which `backbones` it is of, the `source`, and whether
it is `complete`: of a complete list, a language of the shipped table of languages that is not listed was not seen. Of
every other language it is unknown, by itself, whether it was seen. A backbone without a table is unknown; nothing is
guessed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError
from xlt_bench.io.paths import is_folder
from xlt_bench.io.reading import read_limited
from xlt_bench.io.toml_files import LARGEST_FILE

_HEAD = re.compile(r"#\s*([a-z]+):\s*(.*)")
_CODE = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_LONGEST = 80  # characters of a wrong line that a message shows


@dataclass(frozen=True)
class Pretraining:
    """The languages of a backbone's pre-training.

    Attributes:
        name: of the list, such as `xlm-roberta`.
        backbones: hub ids and short names of the backbones that it is of.
        seen: codes of the languages that are listed.
        unsettled: codes of which the source does not say for certain.
        complete: whether the source lists every language.
        source: where that stands.
    """

    name: str
    backbones: tuple[str, ...]
    seen: frozenset[str]
    unsettled: frozenset[str]
    complete: bool
    source: str

    def unseen(self, codes: Iterable[str], table: Iterable[str]) -> frozenset[str]:
        """Those of the codes that were certainly not in pre-training; the others were, or it is not known.

        Args:
            codes: language codes of a task.
            table: codes of the shipped table of languages, the only ones of which a complete list leaves no doubt.
        """
        certain = frozenset(table) - self.seen - self.unsettled if self.complete else frozenset()
        return frozenset(codes) & certain


@cache
def pretraining_lists() -> Mapping[str, Pretraining]:
    """The shipped lists by name."""
    folder = files("xlt_bench.backbones.languages")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".csv"))
    lists = (_parsed(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names)
    return MappingProxyType({entry.name: entry for entry in lists})


def is_backbone(name: str, backbone: str) -> bool:
    """Whether a backbone, as `--backbone` has it, is the one of this name.

    It is where both are equal, where one of two hub ids of a shipped list lacks the owner, and where a local folder
    bears the name.
    """
    short, folder = name.rpartition("/")[2], Path(backbone)
    if name == backbone or (is_folder(backbone) and folder.resolve().name == short):
        return True
    ids = {alias for entry in pretraining_lists().values() for alias in entry.backbones}
    return backbone in ids and name in ids and backbone.rpartition("/")[2] == short


def pretraining_of(backbone: str) -> Pretraining | None:
    """The list of a backbone, None where no shipped one is of it.

    Args:
        backbone: a name as `--backbone` has it: `nano`, a hub id, or a local folder, which counts as the backbone
            whose name it bears.
    """
    return next(
        (entry for entry in pretraining_lists().values() for name in entry.backbones if is_backbone(name, backbone)),
        None,
    )


def pretraining_from(path: Path) -> Pretraining:
    """The list of a user's file: a table like the shipped ones, or codes, one a line; `#` begins a comment.

    It is taken to be complete unless its head says `# complete: no`.

    Raises:
        ConfigError: the file cannot be read, or a line is no code.
    """
    try:
        text = read_limited(path, LARGEST_FILE).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConfigError(f"--seen: cannot read '{str(path)[:_LONGEST]}': {_reason(error)}") from error
    return _parsed(str(path), text)


def _parsed(name: str, text: str) -> Pretraining:
    lines = text.splitlines()
    head = {match[1]: match[2].strip() for line in lines if (match := _HEAD.fullmatch(line.strip()))}
    body = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
    rows = [(number, line) for number, line in body if line]
    seen: set[str] = set()
    unsettled: set[str] = set()
    table = bool(rows) and rows[0][1].split(",")[0] == "code"
    for number, line in rows[1:] if table else rows:
        code, state = _row(rows[0][1], line) if table else (line, "yes")
        if not _CODE.fullmatch(code) or state not in ("yes", "no", "unknown"):
            raise ConfigError(
                f"{name}, line {number}: '{line[:_LONGEST]}' is no code of a language; a list has one code a line, "
                "such as deu_Latn, or the columns code,seen with yes, no or unknown"
            )
        if state != "no":
            (seen if state == "yes" else unsettled).add(code)
    if not seen:
        raise ConfigError(f"{name}: no language is listed; a list has one code a line, such as deu_Latn")
    return Pretraining(
        name=name.removesuffix(".csv"),
        backbones=tuple(head.get("backbones", "").split()),
        seen=frozenset(seen),
        unsettled=frozenset(unsettled - seen),
        complete=head.get("complete", "yes") == "yes",
        source=head.get("source", name),
    )


def _row(header: str, line: str) -> tuple[str, str]:
    """Code and state of a table's row."""
    fields = dict(zip(header.split(","), next(csv.reader([line])), strict=False))
    return fields.get("code", ""), fields.get("seen", "yes")


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or "it cannot be opened") if isinstance(error, OSError) else "it is not UTF-8 text"
