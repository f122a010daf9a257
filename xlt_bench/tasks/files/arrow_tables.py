"""Parquet and Arrow files, and data sets in the hub's layout, read by `datasets`; no code of theirs is run.

`datasets` is imported here and only when such data is read: it takes a second, and pandas with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.errors import DataError
from xlt_bench.io.paths import is_folder
from xlt_bench.io.texts import shortened
from xlt_bench.tasks.files.card import check_card
from xlt_bench.tasks.files.tables import CORRECT, RowTable, Value, check_header

if TYPE_CHECKING:
    import pyarrow

LARGEST = 2 << 30
"""Bytes of text in the columns that are read of one file or split; a packed file may claim to hold more than a disk."""

_BATCH = 1000  # rows at a time
_BUILDERS = {".parquet": "parquet", ".arrow": "arrow"}


def arrow_table(path: Path, names: Sequence[str], toml: Path) -> RowTable:
    """The named columns of a Parquet or Arrow file.

    Raises:
        DataError: it cannot be read, lacks a column, or a column holds something else than texts or whole numbers.
    """
    with _reading(f"cannot read {path} as {path.suffix[1:].title()}"):
        from datasets import load_dataset

        if _checked_rows(path, names, toml) == 0:
            return RowTable(str(path), {name: [] for name in names}, "row")
        rows = load_dataset(_BUILDERS[path.suffix], data_files={"rows": str(path)}, split="rows", streaming=True)
        return _table(str(path), rows, names, toml)


def configuration_table(
    folder: Path, config: str, split: str, title: str, names: Sequence[str], toml: Path
) -> RowTable:
    """The named columns of one split of a data set in the hub's layout.

    Args:
        folder: with the data files; its README.md says which are of which configuration, else a folder of that name has
            them.
        title: of the data set, for errors.

    Raises:
        DataError: there is no such configuration or split, and as `arrow_table`.
    """
    origin = f"{title}, configuration '{config}', split '{split}'"
    with _reading(f"cannot read {origin}"):
        from datasets import get_dataset_config_names, load_dataset_builder

        check_card(folder, title)
        if config in get_dataset_config_names(str(folder)):
            builder = load_dataset_builder(str(folder), config)
        elif is_folder(folder / config):
            builder = load_dataset_builder(str(folder), data_dir=config)
        else:
            raise DataError(f"{title} has no configuration '{config}'; [columns] and config in {toml} say what it has")
        for path in map(Path, builder.config.data_files.get(split, ())):
            if path.suffix in _BUILDERS:
                _checked_rows(path, names, toml)
        return _table(origin, builder.as_streaming_dataset(split), names, toml)


@contextmanager
def _reading(failure: str) -> Iterator[None]:
    """DataError in one line for whatever `datasets` and Arrow raise, which have no common class."""
    import logging

    logger = logging.getLogger("datasets")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it logs the error that it raises
    try:
        yield
    except (DataError, KeyboardInterrupt):
        raise
    except ImportError as error:
        raise DataError(f"{failure}: {shortened(error)}; pip install datasets") from error
    except Exception as error:
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(f"{failure} ({shortened(first_line, 200)}); write it again, or fetch it again") from error
    finally:
        logger.setLevel(level)


def _checked_rows(path: Path, names: Sequence[str], toml: Path) -> int:
    """Refuse a file that holds more text than is ever read, before any of it is unpacked; returns the number of rows.

    One text may stand for millions of rows, so the texts are counted by their place in the file's own dictionaries.
    """
    return (_parquet_rows if path.suffix == ".parquet" else _arrow_rows)(path, names, toml)


def _arrow_rows(path: Path, names: Sequence[str], toml: Path) -> int:
    import pyarrow as arrow
    from pyarrow import ipc

    with arrow.memory_map(str(path)) as file:
        try:
            reader = ipc.open_stream(file)
            header, batches = reader.schema.names, iter(reader)
        except arrow.ArrowInvalid:  # not a stream: with a footer, as of a random-access file
            random_access = ipc.open_file(file)
            header = random_access.schema.names
            batches = map(random_access.get_batch, range(random_access.num_record_batches))
        check_header(str(path), header, names, toml)
        size = rows = 0
        for batch in batches:
            rows += batch.num_rows
            size += sum(_size(batch.column(name)) for name in names)
            _check_size(str(path), size)
    return rows


def _parquet_rows(path: Path, names: Sequence[str], toml: Path) -> int:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        check_header(str(path), file.schema_arrow.names, names, toml)
        metadata = file.metadata
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    _check_size(str(path), sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in names))
    size = 0
    with ParquetFile(path, read_dictionary=list(names)) as file:
        for batch in file.iter_batches(_BATCH, columns=list(names)):
            size += sum(map(_size, batch.columns))
            _check_size(str(path), size)
    return int(metadata.num_rows)


def _size(column: pyarrow.Array) -> int:
    """Bytes that a column takes once each row has a text of its own."""
    import pyarrow.compute as compute

    if not hasattr(column, "dictionary"):
        return int(column.nbytes)
    lengths = compute.binary_length(column.dictionary).cast("int64")
    return int(compute.sum(lengths.take(column.indices)).as_py() or 0)


def _check_size(origin: str, size: int) -> None:
    if size > LARGEST:
        raise DataError(f"{origin} holds more than {LARGEST >> 30} GiB of text in the columns that are read; split it")


def _table(origin: str, rows: Any, names: Sequence[str], toml: Path) -> RowTable:
    """Read an IterableDataset whole."""
    columns: dict[str, list[Value]] = {name: [] for name in names}
    header: list[str] | None = None
    size = 0
    for batch in rows.with_format("arrow").iter(_BATCH):
        if header is None:
            header = list(batch.column_names)
            check_header(origin, header, names, toml)
        for name in names:
            column = batch.column(name)
            _check_type(origin, name, column.type)
            size += column.nbytes
            _check_size(origin, size)  # before each row gets a text of its own
            columns[name].extend(column.to_pylist())
    if header is None:
        check_header(origin, list(rows.features or ()), names, toml)
    classes = {
        name: tuple(feature.names)
        for name, feature in (rows.features or {}).items()
        if name in names and getattr(feature, "names", None)
    }
    return RowTable(origin, columns, "row", classes=classes)


def _check_type(origin: str, name: str, kind: pyarrow.DataType) -> None:
    import pyarrow as arrow

    types = arrow.types
    value = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(value) or types.is_large_string(value) or types.is_string_view(value)
    if not (text or types.is_integer(value) or types.is_null(value)):
        raise DataError(f"{origin}: column '{name}' holds {kind}, not texts; {CORRECT}")
