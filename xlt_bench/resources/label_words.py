"""label-words: words that stand for the task's classes, by language, `--resource label-words=FILE`.

[eng_Latn]
sports = ["sports", "game"]
"science/technology" = ["science", "technology"]
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.texts import shortened
from xlt_bench.io.toml_files import TomlTable, read_toml
from xlt_bench.resources.base import Scope, Supply, listed
from xlt_bench.task import Task


@dataclass(frozen=True)
class LabelWords:
    """See `Resource`. Content: language code -> class -> its words, one or more; every class in every language."""

    name: str = "label-words"
    summary: str = "words for the task's classes, by language"
    path: str | None = "FILE"
    needs_path: bool = True

    def supply(self, scope: Scope) -> Supply:
        """The words of the user's file."""
        assert scope.path is not None, "checked where options are read"
        file = read_toml(scope.path)
        if not file.values:
            raise ConfigError(
                f"--resource {self.name}: {file.where} names no language; write a table such as [eng_Latn]"
            )
        for code in file.values:
            if code not in scope.task.languages:
                example = listed(scope.task.languages)
                raise ConfigError(
                    f"{file.where}: {unknown('language of the task', code, scope.task.languages, example)}"
                )
        codes = [code for code in scope.task.languages if code in file.values]  # the file's order is no part of it
        words = {code: MappingProxyType(_words(file.table(code), scope.task)) for code in codes}
        return Supply(MappingProxyType(words), f"Given words for the classes in {listed(words)}.")

    def example(self, scope: Scope, folder: Path) -> Path:
        """Each class is its own word, in the first source language."""
        lines = [
            f"[{scope.sources[0]}]",
            *(f"{json.dumps(label)} = [{json.dumps(label)}]" for label in scope.task.labels),
        ]
        path = folder / "words.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path


def _words(table: TomlTable, task: Task) -> dict[str, tuple[str, ...]]:
    table.check_keys(task.labels)
    words = {label: table.texts(label) or () for label in task.labels}
    missing = [label for label, of_class in words.items() if not of_class]
    if missing:
        raise ConfigError(
            f"{table.where}: no words for the class '{shortened(missing[0])}'; write {missing[0]!r} = [\"...\"]"
        )
    return words
