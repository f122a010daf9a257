"""The importer: a file of answers in words -> predictions, each fault named with file and line.

The file is a table with the columns language, index_id, gold and answer (in any order; others are ignored), separated
by tabs (`.tsv`, `.tsv.gz`) or commas (`.csv`, `.csv.gz`), in UTF-8. Quoting is that of `csv`: an answer with a tab, a
comma, a line break or a leading quotation mark is put in quotation marks, those inside it doubled. It may lack
languages, but a language that it has must have every test item once.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlt_bench.baselines.items import test_items
from xlt_bench.baselines.rules import DEFAULT_RULE, SIB200, Categories, rule_named
from xlt_bench.baselines.tables import language_codes
from xlt_bench.errors import ConfigError, DataError
from xlt_bench.records.record import Predictions
from xlt_bench.task import Task
from xlt_bench.tasks.sib200.articles import article_clusters

COLUMNS = ("language", "index_id", "gold", "answer")
DELIMITERS: Mapping[str, str] = {".tsv": "\t", ".csv": ","}


@dataclass(frozen=True)
class Expected:
    """What a file of answers is checked against.

    Attributes:
        gold: language -> id of each of its test items -> the class.
        clusters: as `Task.clusters` has them.
    """

    categories: Categories
    gold: Mapping[str, Mapping[str, str]]
    clusters: Mapping[str, str]

    @staticmethod
    def of(task: Task, categories: Categories) -> Expected:
        """From a loaded task."""
        gold = {}
        for code in task.languages:
            part = task.split(code, "test")
            pairs = zip(part.examples, part.gold, strict=True)
            gold[code] = {example.id: task.labels[position] for example, position in pairs}
        return Expected(categories, gold, task.clusters)


@cache
def sib200() -> Expected:
    """SIB-200's test items, from the ids and classes shipped with this package; no text is needed."""
    items = test_items()
    return Expected(SIB200, dict.fromkeys(language_codes(), items), article_clusters(items))


class Row(NamedTuple):
    """One answer; `line` is where it begins in the file."""

    line: int
    language: str
    item: str
    gold: str
    answer: str


def read_answers(path: Path, rule: str = DEFAULT_RULE, expected: Expected | None = None) -> Predictions:
    """The predictions of a file of answers, in its order; an answer that names no class is predicted as "".

    Args:
        path: see the module's docstring.
        rule: a name in `RULES`.
        expected: the task's languages, classes and test items; SIB-200's by default.

    Raises:
        ConfigError: no such rule, or the file's name has none of the known endings.
        DataError: the first fault, with file and line and the way out.
    """
    read, task = rule_named(rule).read, expected or sib200()
    rows = read_rows(path)
    _check(path, rows, task)
    return Predictions(
        language=np.array([row.language for row in rows], object),
        item_id=np.array([row.item for row in rows], object),
        gold=np.array([row.gold for row in rows], object),
        predicted=np.array([read(row.answer, task.categories) or "" for row in rows], object),
    ).clustered(task.clusters)


def read_rows(path: Path) -> list[Row]:
    """The rows of a file, its columns checked, but neither codes, ids nor classes."""
    parsed = _parse(path)
    line, header = next(parsed, (1, []))
    lacking = [name for name in COLUMNS if header.count(name) != 1]
    if lacking:
        raise _fault(path, line, f"the columns are {header or 'missing'}, not {list(COLUMNS)}")
    columns = [header.index(name) for name in COLUMNS]
    rows = []
    for line, fields in parsed:
        if len(fields) != len(header):
            raise _fault(path, line, f"{len(fields)} columns, not {len(header)} as in the first line")
        language, item, gold, answer = (fields[column] for column in columns)
        rows.append(Row(line, language, item, gold, answer))
    return rows


def _check(path: Path, rows: Sequence[Row], expected: Expected) -> None:
    if not rows:
        raise _fault(path, 1, "there is no answer after the columns")
    first_seen: dict[tuple[str, str], int] = {}
    for row in rows:
        _check_row(path, row, expected)
        earlier = first_seen.setdefault((row.language, row.item), row.line)
        if earlier != row.line:
            raise _fault(path, row.line, f"item {row.item!r} of {row.language} is already in line {earlier}")
    last = {row.language: row.line for row in rows}
    for language, line in last.items():
        items = expected.gold[language]
        missing = [item for item in items if (language, item) not in first_seen]
        if missing:
            counted = f"{language} ends here without {len(missing)} of its {len(items)} test items"
            raise _fault(path, line, f"{counted}: {_few(missing)}; an item without an answer needs a row, answer empty")


def _check_row(path: Path, row: Row, expected: Expected) -> None:
    if row.language not in expected.gold:
        raise _fault(path, row.line, f"unknown language {row.language!r}; codes are like eng_Latn: xlt-bench ls groups")
    items = expected.gold[row.language]
    if row.item not in items:
        raise _fault(path, row.line, f"index_id {row.item!r} is none of the {len(items)} test items")
    if row.gold not in expected.categories.labels:
        labels = ", ".join(expected.categories.labels)
        raise _fault(path, row.line, f"unknown gold label {row.gold!r}; the labels are {labels}")
    gold = items[row.item]
    if row.gold != gold:
        raise _fault(path, row.line, f"gold label {row.gold!r}, but item {row.item!r} is '{gold}' in the task")


def _parse(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line where it begins, fields) of each row that is not blank."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), delimiter=_delimiter(path), strict=True)
    line = 1
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise _fault(path, line, f"{error}; the quotation marks of the row that begins here do not match") from None


def _delimiter(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    if plain.suffix not in DELIMITERS:
        raise ConfigError(
            f"'{path.name}' must end in .tsv, .tsv.gz, .csv or .csv.gz: that tells how columns are separated"
        )
    return DELIMITERS[plain.suffix]


def _text(path: Path) -> str:
    _delimiter(path)
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error}); write it again, or unpack it and drop .gz") from None
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; it must be there and readable for you"
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(path, line, f"byte {error.start} is not UTF-8; save the file as UTF-8") from None


def _fault(path: Path, line: int, rule: str) -> DataError:
    return DataError(f"{path}, line {line}: {rule}")


def _few(names: Sequence[str], count: int = 5) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
