"""A user's translations of the targets' items into the source language, of a machine say: `FOLDER/<code>/<split>.tsv`.

Tab-separated with a header and the quoting of `csv`, as tasks' own files: `id`, `text` and, where items are pairs,
`text_pair`; further columns are not read. Ids are the task's; items stand in any order, each once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xlt_bench.errors import ConfigError, DataError, unknown
from xlt_bench.io.paths import is_file, is_folder
from xlt_bench.io.separated import read_separated
from xlt_bench.io.texts import shortened
from xlt_bench.resources.base import Scope, Text, listed
from xlt_bench.task import Example, Split

_ID = "id"
_TEXTS = ("text", "text_pair")


def read_translations(
    scope: Scope, splits: Sequence[Split], name: str
) -> Mapping[str, Mapping[Split, tuple[Text, ...]]]:
    """Target's code -> split -> the translation of each item, in the items' order.

    Args:
        scope: with the folder.
        name: of the resource, for messages.

    Raises:
        ConfigError: the folder or a file is missing.
        DataError: a file breaks a rule; with its line and the way out.
    """
    assert scope.path is not None, "checked by the caller"
    parts = {(code, split): scope.task.split(code, split).examples for code in scope.targets for split in splits}
    files = {key: scope.path / key[0] / f"{key[1]}.tsv" for key, examples in parts.items() if examples}
    _check_files(scope.path, [*files.values()], name)
    texts = {key: _translations(files[key], examples) if examples else () for key, examples in parts.items()}
    return {code: {split: texts[code, split] for split in splits} for code in scope.targets}


def _check_files(folder: Path, files: Sequence[Path], name: str) -> None:
    if not is_folder(folder):
        raise ConfigError(
            f"--resource {name}: no folder '{shortened(folder)}'; give one with a file of translations "
            "for each target, <code>/<split>.tsv"
        )
    missing = [str(file.relative_to(folder)) for file in files if not is_file(file)]
    if missing:
        raise ConfigError(
            f"--resource {name}: '{shortened(folder)}' lacks {listed(missing)}; write the file, with the columns id "
            "and text, or leave the language out of --targets"
        )


def _translations(file: Path, examples: Sequence[Example]) -> tuple[Text, ...]:
    """Those of the items, in the items' order."""
    names = _TEXTS if examples[0].text_pair is not None else _TEXTS[:1]
    prefix = f"{examples[0].language}:"  # of ids that are no other language's; the file says which language it is of
    ids = [example.id.removeprefix(prefix) for example in examples]
    item_ids = frozenset(ids)
    lines: dict[str, int] = {}
    translations: dict[str, Text] = {}
    for line, (item, *texts) in enumerate(_rows(file, names), 2):
        item = item.removeprefix(prefix)
        if item not in item_ids:
            raise _fault(file, line, f"{unknown('item of the task', item, ids, listed(ids))}")
        if item in translations:
            raise _fault(file, line, f"item '{shortened(item)}' is already in line {lines[item]}; leave one out")
        empty = next((name for name, text in zip(names, texts, strict=True) if not text.strip()), None)
        if empty is not None:
            raise _fault(file, line, f"'{empty}' of item '{shortened(item)}' is empty; every item needs a translation")
        lines[item], translations[item] = line, Text(*texts)
    missing = [item for item in ids if item not in translations]
    if missing:
        raise DataError(f"{file}: no translation of item {listed(missing)}; every item needs one")
    return tuple(translations[item] for item in ids)


def _rows(file: Path, names: Sequence[str]) -> list[list[str]]:
    """Id and texts of every line but the header."""
    header, *rows = read_separated(file, _unreadable) or [[]]
    missing = [name for name in (_ID, *names) if header.count(name) != 1]
    if missing:
        raise _fault(file, 1, f"the columns are {listed(header) or 'missing'}; it needs '{missing[0]}', once")
    wrong = next((line for line, row in enumerate(rows, 2) if len(row) != len(header)), None)
    if wrong is not None:
        raise _fault(
            file, wrong, f"{len(rows[wrong - 2])} columns, not {len(header)} as in the header; correct the file"
        )
    positions = [header.index(name) for name in (_ID, *names)]
    return [[row[position] for position in positions] for row in rows]


def _unreadable(file: Path, line: int, reason: str) -> DataError:
    return _fault(
        file,
        line,
        f"{reason}; write it as UTF-8 and with the quoting of csv: a field that begins with a "
        "quotation mark stands in such marks, its own doubled",
    )


def _fault(file: Path, line: int, reason: str) -> DataError:
    return DataError(f"{file}, line {line}: {reason}")
