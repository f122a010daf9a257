"""unlabelled-folder: a user's text by language, `--resource unlabelled-folder=FOLDER` with `<code>.txt`, a text a line.

Lines that equal a dev or test text of the task in any language are left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError, DataError
from xlt_bench.io.paths import is_file, is_folder
from xlt_bench.io.texts import reason, shortened
from xlt_bench.resources.base import Scope, Supply, Text, listed
from xlt_bench.task import Split, Task

UNLABELLED_FOLDER = "unlabelled-folder"
_HIDDEN: tuple[Split, ...] = ("dev", "test")
"""Splits whose texts nobody may have seen."""


@dataclass(frozen=True)
class UnlabelledFolder:
    """See `Resource`. Content: language code -> its texts, of all targets and of those sources that have a file."""

    name: str = UNLABELLED_FOLDER
    summary: str = "a user's text by language"
    path: str | None = "FOLDER"
    needs_path: bool = True

    def supply(self, scope: Scope) -> Supply:
        """The lines of the folder's files for this run's languages."""
        assert scope.path is not None, "checked where options are read"
        if not is_folder(scope.path):
            raise ConfigError(f"--resource {self.name}: no folder '{shortened(scope.path)}'; give one with <code>.txt")
        files = {code: scope.path / f"{code}.txt" for code in dict.fromkeys((*scope.sources, *scope.targets))}
        missing = [code for code in scope.targets if not is_file(files[code])]
        if missing:
            raise ConfigError(
                f"--resource {self.name}: {shortened(scope.path)} has no {missing[0]}.txt"
                f"{f' (and none for {len(missing) - 1} more targets)' if missing[1:] else ''}; "
                "write one, a text a line, or leave the language out of --targets"
            )
        hidden = frozenset(_texts_of(scope.task))
        lines = {code: _lines(file) for code, file in files.items() if is_file(file)}
        texts = {code: tuple(Text(line) for line in of_code if line not in hidden) for code, of_code in lines.items()}
        left_out = sum(len(lines[code]) - len(texts[code]) for code in lines)
        empty = [code for code in scope.targets if not texts[code]]
        return Supply(
            MappingProxyType(texts),
            f"Saw {sum(map(len, texts.values())):,} unlabelled texts of {len(texts)} languages from a folder"
            + (f", none of {listed(empty)}" if empty else "")
            + f"; {left_out:,} lines that equal a dev or test text were left out.",
        )

    def example(self, scope: Scope, folder: Path) -> Path:
        """A folder with a few lines for each target: texts of the sources, two on a line."""
        texts = [example.text for code in scope.sources for example in scope.task.split(code, "train").examples]
        lines = [f"{first} {second}" for first, second in pairwise(texts)]
        for number, code in enumerate(scope.targets):
            (folder / f"{code}.txt").write_text("\n".join(lines[number :: len(scope.targets)]), encoding="utf-8")
        return folder


def _lines(file: Path) -> list[str]:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{shortened(file)}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"cannot read {shortened(file)}: {reason(error)}") from error
    return [line for line in map(str.strip, content.split("\n")) if line]


def _texts_of(task: Task) -> Iterator[str]:
    """Every single dev and test text, those of pairs too."""
    for code in task.languages:
        for split in _HIDDEN:
            for example in task.split(code, split).examples:
                yield example.text.strip()
                if example.text_pair is not None:
                    yield example.text_pair.strip()
