"""From a task's layout to the tables of a language and split: which files there are, and who reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.io import hub
from xlt_bench.io.paths import is_file, is_folder
from xlt_bench.io.texts import shortened
from xlt_bench.task import SPLITS, Split
from xlt_bench.tasks.files.layout import Layout
from xlt_bench.tasks.files.separated import DELIMITERS, separated_table
from xlt_bench.tasks.files.sources import Hub, Source, filled
from xlt_bench.tasks.files.tables import RowTable

_NAMED = 5  # missing files that a message lists

Opened = Callable[[], list[RowTable]]
"""Reads the tables of one language and split, once all of the task's files are known to be there."""


def open_tables(layout: Layout) -> dict[tuple[str, Split], Opened]:
    """The readers of every language and split that the task has; the others are left out.

    Raises:
        DataError: a folder or files are missing (they are listed), or the hub is out of reach.
    """
    fetched = cache(_fetched)
    readers: dict[tuple[str, Split], Opened] = {}
    missing: list[str] = []
    folders: set[Path] = set()
    for code in layout.folders:
        for split in (split for split in SPLITS if code in layout.languages[split]):
            source = layout.source_of(code, split)
            folder = source.folder if source.folder is not None else fetched(source.hub)
            if not is_folder(folder):
                origin = f"; get it from {layout.origin}, then: --data-dir FOLDER" if layout.origin else ""
                raise DataError(
                    f"no folder '{shortened(folder, 300)}'; it must hold {_holds(source)}, as {layout.toml} "
                    f"says{origin}"
                )
            if source.config is not None:
                readers[code, split] = _configuration(folder, source, code, split, layout)
                continue
            name = filled(source.files or "", layout.folders[code], layout.split_name(source, split))
            paths = sorted(path for path in _glob(folder, name) if is_file(path))
            readers[code, split] = _files(paths, source, split, layout)
            if not paths:
                missing.append(name)
                folders.add(folder)
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        listed = ", ".join(shortened(name) for name in missing[:_NAMED])
        raise DataError(
            f"'{shortened(min(folders), 300)}' lacks {listed}{more}; {layout.toml} says which languages and splits "
            "there are (where only some have a train split: [splits] train = { languages = [...] })"
        )
    return readers


def files_of(layout: Layout) -> list[Path] | None:
    """All files of a task with its description, and the folders in which they are looked for; None: not all are local.

    Files of a data set in the hub's layout are not named either: which they are is for another library to decide.
    """
    files = [layout.toml]
    for code in layout.folders:
        for split in (split for split in SPLITS if code in layout.languages[split]):
            source = layout.source_of(code, split)
            if source.folder is None or source.config is not None:
                return None
            name = filled(source.files or "", layout.folders[code], layout.split_name(source, split))
            paths = _glob(source.folder, name)
            files += [*paths, *(path.parent for path in paths)]
    return files


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except (OSError, ValueError):  # a name too long for the file system, or with NUL: nothing is called that
        return []


def _holds(source: Source) -> str:
    return source.files or f"a data set in the hub's layout, configurations {source.config}"


def _fetched(source: Hub | None) -> Path:
    """The folder of a snapshot of the hub: from its cache if it is there, else downloaded once."""
    assert source is not None  # a source without a folder has a hub
    try:
        return hub.snapshot(source.path, source.fetch, source.revision, "dataset")
    except Exception as error:  # the hub's client lets its HTTP library's errors through, and that library changes
        raise DataError(
            f"cannot get {source.path} from the Hugging Face hub ({type(error).__name__}); to go on offline, fetch "
            f"https://huggingface.co/datasets/{source.path} at revision {source.revision[:8]} on another machine and "
            "give its folder: --data-dir FOLDER (where it is not the task's main source: a folder "
            f"{source.path.rpartition('/')[2]} in FOLDER)"
        ) from error


def _configuration(folder: Path, source: Source, code: str, split: Split, layout: Layout) -> Opened:
    config = filled(source.config or "", layout.folders[code], layout.split_name(source, split))
    title = source.hub.path if source.hub is not None and source.folder is None else f"'{folder}'"

    def read() -> list[RowTable]:
        from xlt_bench.tasks.files.arrow_tables import configuration_table

        names = source.columns.of_split(split)
        return [configuration_table(folder, config, layout.split_name(source, split), title, names, layout.toml)]

    return read


def _files(paths: Sequence[Path], source: Source, split: Split, layout: Layout) -> Opened:
    names = source.columns.of_split(split)
    return lambda: [_table(path, names, layout) for path in paths]


def _table(path: Path, names: Sequence[str], layout: Layout) -> RowTable:
    if path.suffix in DELIMITERS:
        return separated_table(path, names, quoted=layout.quotes, toml=layout.toml)
    if path.suffix in (".parquet", ".arrow"):
        from xlt_bench.tasks.files.arrow_tables import arrow_table

        return arrow_table(path, names, layout.toml)
    from xlt_bench.tasks.files.json_lines import json_lines_table

    return json_lines_table(path, names, layout.toml)
