"""One file of a task: its columns found by name, and every value checked that can be checked by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.errors import DataError, unknown
from xlt_bench.task import Split
from xlt_bench.tasks.files.spec import Layout
from xlt_bench.tasks.separated import read_separated

Value = str | int | None
"""What a column holds. A class may be a number in Parquet: its position in the task's labels."""

DELIMITERS = {".tsv": "\t", ".csv": ","}
_AGAIN = "correct the file"


@dataclass(frozen=True)
class Part:
    """The items of one file, in its order.

    Attributes:
        gold: positions in the task's labels.
        ids, pairs: None where the task has no such column.
        clusters: of test items, None where the task gives none.
    """

    path: Path
    gold: tuple[int, ...]
    texts: tuple[str, ...]
    ids: tuple[str, ...] | None
    pairs: tuple[str, ...] | None
    clusters: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(self.texts)


def place_of(path: Path, item: int) -> str:
    """File and line of an item (the header is line 1); in Parquet its row, counted from 1."""
    return f"{path}, row {item + 1}" if path.suffix == ".parquet" else f"{path}, line {item + 2}"


def read_part(path: Path, split: Split, layout: Layout) -> Part:
    """Read and check one file.

    Raises:
        DataError: the first rule that is broken, with file and line.
    """
    read = _from_parquet if path.suffix == ".parquet" else _from_separated
    named = layout.columns
    columns = read(path, layout, named.of_split(split))
    if not columns[named.text]:
        raise DataError(f"{path} has no items; every file needs at least one")
    return Part(
        path=path,
        gold=_gold(path, columns[named.label], layout),
        texts=_texts(path, columns, named.text),
        ids=_ids(path, columns, named.id) if named.id else None,
        pairs=_texts(path, columns, named.text_pair) if named.text_pair else None,
        clusters=_clusters(path, columns, named.cluster) if named.cluster and split == "test" else None,
    )


def _from_separated(path: Path, layout: Layout, names: Sequence[str]) -> dict[str, list[Value]]:
    unquoted = f', or if marks are text, say quotes = "none" in {layout.toml}' if layout.quotes else ""

    def fault(where: Path, line: int, what: str) -> DataError:
        return DataError(f"{where}, line {line}: {what}; {_AGAIN}{unquoted}")

    rows = read_separated(path, fault, delimiter=DELIMITERS[path.suffix], quoted=layout.quotes)
    header = rows[0] if rows else []
    _check_columns(f"{path}, line 1", header, layout, names)
    wrong = next((line for line, row in enumerate(rows, 1) if len(row) != len(header)), None)
    if wrong is not None:
        raise fault(path, wrong, f"{len(rows[wrong - 1])} columns, not {len(header)} as in the header")
    return {name: [row[header.index(name)] for row in rows[1:]] for name in names}


def _from_parquet(path: Path, layout: Layout, names: Sequence[str]) -> dict[str, list[Value]]:
    import pyarrow as arrow
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
        _check_columns(str(path), file.schema_arrow.names, layout, names)
        table = file.read(columns=list(names))
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"cannot read {path} as Parquet ({str(error).splitlines()[0]}); write it again") from error
    found: dict[str, list[Value]] = {}
    for name in names:
        column = table.column(name)
        kind = column.type.value_type if arrow.types.is_dictionary(column.type) else column.type
        named = layout.columns
        whole = arrow.types.is_integer(kind) and name in (named.id, named.label, named.cluster)
        if not (whole or arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
            raise DataError(f"{path}: column '{name}' holds {kind}, not texts; {_AGAIN}")
        found[name] = column.to_pylist()
    return found


def _check_columns(where: str, header: Sequence[str], layout: Layout, names: Sequence[str]) -> None:
    for name in names:
        if name not in header:
            see = f"[columns] in {layout.toml} names them, and the file has {', '.join(header) or 'none'}"
            raise DataError(f"{where}: {unknown('column', name, header, see)}")
        if list(header).count(name) > 1:
            raise DataError(f"{where}: column '{name}' is there twice; {_AGAIN}")


def _gold(path: Path, values: Sequence[Value], layout: Layout) -> tuple[int, ...]:
    positions: dict[Value, int] = {label: place for place, label in enumerate(layout.labels)}
    positions |= {place: place for place in range(len(layout.labels))}
    for item, value in enumerate(values):
        if value not in positions:
            raise DataError(
                f"{place_of(path, item)}: unknown label {value!r}; the labels are {', '.join(layout.labels)}; "
                f"{_AGAIN}, or labels in {layout.toml}"
            )
    return tuple(positions[value] for value in values)


def _texts(path: Path, columns: Mapping[str, Sequence[Value]], name: str) -> tuple[str, ...]:
    texts = []
    for item, value in enumerate(columns[name]):
        if value is None or not str(value).strip():
            raise DataError(f"{place_of(path, item)}: '{name}' is empty; {_AGAIN}")
        texts.append(str(value))
    return tuple(texts)


def _clusters(path: Path, columns: Mapping[str, Sequence[Value]], name: str) -> tuple[str, ...]:
    clusters = []
    for item, value in enumerate(columns[name]):
        if value is None or not str(value).strip():
            raise DataError(
                f"{place_of(path, item)}: '{name}' is empty; every test item needs its cluster, an item that "
                "stands for itself one of its own; or leave cluster out of [columns]"
            )
        clusters.append(str(value))
    return tuple(clusters)


def _ids(path: Path, columns: Mapping[str, Sequence[Value]], name: str) -> tuple[str, ...]:
    ids = _texts(path, columns, name)
    first: dict[str, int] = {}
    for item, own in enumerate(ids):
        if first.setdefault(own, item) != item:
            earlier = place_of(path, first[own]).rpartition(", ")[2]
            raise DataError(f"{place_of(path, item)}: id '{own}' is already in {earlier}; {_AGAIN}")
    return ids
