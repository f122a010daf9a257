"""How a task's rows are arranged: sources, splits, what ids mean, and which rows are taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xlt_bench.errors import ConfigError
from xlt_bench.io.toml_files import TomlTable
from xlt_bench.languages.group_files import codes_of
from xlt_bench.task import SPLITS, Split
from xlt_bench.tasks.files.columns import Columns
from xlt_bench.tasks.files.sources import Source, read_sources

Items = Literal["parallel", "overlapping", "by-line", "separate"]
"""What items of two languages have to do with each other.

parallel: an id is the same item in every language, and every language has it. overlapping: likewise, but a language may
lack items. by-line: line n of a split is the same item in every language; there are no ids. separate: nothing.
"""

ITEMS: tuple[Items, ...] = ("parallel", "overlapping", "by-line", "separate")
QUOTES = ("csv", "none")
EMPTY = ("refuse", "drop")


@dataclass(frozen=True)
class Layout:
    """Where the items stand.

    Attributes:
        toml: the `task.toml`, for errors.
        sources: the main one first; for a language and split the last one that has them is taken.
        folders: code -> what stands for `{language}` in paths and configurations.
        splits: what stands for `{split}`.
        languages: split -> languages that have it, in the task's order.
        quotes: whether a field may be quoted, as `csv` has it; otherwise quotation marks are text.
        empty: what is done with a row whose text is empty: refuse the file, or drop the row.
        origin: where the files can be had, for errors; an empty text: that is not said.
    """

    toml: Path
    sources: tuple[Source, ...]
    labels: tuple[str, ...]
    folders: Mapping[str, str]
    splits: Mapping[Split, str]
    languages: Mapping[Split, tuple[str, ...]]
    items: Items
    quotes: bool
    empty: str
    origin: str

    @property
    def columns(self) -> Columns:
        """Those of the main source."""
        return self.sources[0].columns

    def source_of(self, code: str, split: Split) -> Source:
        """Where the rows of a language's split come from."""
        return next(s for s in reversed(self.sources) if code in s.languages and split in s.splits)

    def in_folder(self, folder: Path) -> Layout:
        """The same layout with its files in another folder, those of further sources in folders of theirs there."""
        main, *further = self.sources
        return replace(self, sources=(main.in_folder(folder), *(source.below(folder) for source in further)))

    def split_name(self, source: Source, split: Split) -> str:
        """What stands for `{split}` in a source."""
        return source.split_names.get(split, self.splits[split])


def read_layout(table: TomlTable, path: Path, labels: tuple[str, ...], folders: Mapping[str, str]) -> Layout:
    """The keys of a `task.toml` that say how the rows are arranged.

    Raises:
        ConfigError: the first key or value that breaks a rule.
    """
    codes = tuple(folders)
    sources = read_sources(table, codes)
    splits, languages = _splits(table.table("splits"), codes)
    return Layout(
        toml=path,
        sources=sources,
        labels=labels,
        folders=folders,
        splits=splits,
        languages=languages,
        items=_items(table, sources[0].columns),
        quotes=table.choice("quotes", QUOTES) != "none",
        empty=table.choice("empty", EMPTY) or "refuse",
        origin=table.text("origin") or "",
    )


def _splits(table: TomlTable, codes: tuple[str, ...]) -> tuple[dict[Split, str], dict[Split, tuple[str, ...]]]:
    """What each split is called in file names, and which languages have it."""
    table.check_keys(SPLITS)
    names: dict[Split, str] = {}
    languages: dict[Split, tuple[str, ...]] = {}
    for split in SPLITS:
        listed = codes
        if isinstance(table.values.get(split), dict):
            inner = table.table(split)
            inner.check_keys(("file", "languages"))
            names[split] = inner.text("file") or split
            listed = codes_of(inner, "languages", codes) or codes
        else:
            names[split] = table.text(split) or split
        members = set(listed)
        languages[split] = tuple(code for code in codes if code in members)
    odd = next((name for name in names.values() if "/" in name or name in (".", "..")), None)
    if odd is not None:
        raise ConfigError(f"{table.where}: '{table.cut(odd)}' is no name of a split in the files; it has no / in it")
    if len(set(names.values())) < len(names):
        raise ConfigError(f"{table.where}: two splits have one name in the files; each needs its own")
    if languages["test"] != codes:
        raise ConfigError(f"{table.where}: every language needs a test split; leave languages out of test")
    with_dev = set(languages["dev"])
    without = [code for code in languages["train"] if code not in with_dev]
    if without:
        raise ConfigError(
            f"{table.where}: {', '.join(without)} would train without dev, which selects the checkpoint; "
            "a language with a train split needs a dev split"
        )
    return names, languages


def _items(table: TomlTable, columns: Columns) -> Items:
    name = table.choice("items", ITEMS)
    items: Items = next((item for item in ITEMS if item == name), "parallel" if columns.id else "separate")
    if items in ("parallel", "overlapping") and columns.id is None:
        raise ConfigError(
            f'{table.where}: items = "{items}" needs an id column: say which under [columns], as id = "..."; '
            'without ids items are "by-line" or "separate"'
        )
    if items == "by-line" and columns.id is not None:
        raise ConfigError(f'{table.where}: items = "by-line" is for files without ids; leave out the id column')
    return items
