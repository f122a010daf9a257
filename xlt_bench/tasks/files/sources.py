"""Where a task's rows come from: a local folder of files, or a data set of the Hugging Face hub at a pinned revision.

Most tasks have one source. A task may name further ones under `[[sources]]`, each for some languages and splits: train
data of another data set, say. For a language and split the last source that has them is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from xlt_bench.errors import ConfigError
from xlt_bench.io.paths import is_folder
from xlt_bench.io.toml_files import TomlTable
from xlt_bench.languages.group_files import codes_of
from xlt_bench.task import SPLITS, Split
from xlt_bench.tasks.files.columns import Columns, read_columns

ENDINGS = (".tsv", ".csv", ".jsonl", ".jsonl.gz", ".json.gz", ".parquet", ".arrow")
DEFAULT_FILES = "{language}/{split}.tsv"
LANGUAGE, SPLIT = "{language}", "{split}"
KEYS = ("data", "files", "config", "hub", "columns")
"""Keys of a source, at the top of the file for the main one."""

_HUB_KEYS = ("path", "revision", "fetch")
_DATA_FILES = ("README.md", *(f"*{ending}" for ending in ENDINGS), "*.json")
_REVISION = re.compile("[0-9a-f]{40}")
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True)
class Hub:
    """A data set of the hub: `owner/name`, the commit, and patterns of the files that are fetched from it."""

    path: str
    revision: str
    fetch: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Rows of some languages and splits.

    Attributes:
        folder: where `files` or the configurations lie; None: they come from the hub.
        hub: where to fetch them; None: from the folder alone.
        files: path of a file, with `{language}` and `{split}` in it; `*` stands for any text. None: see `config`.
        config: the configuration of a data set in the hub's layout, with `{language}` in it or not; None: see `files`.
        languages, splits: what it has.
        split_names: what stands for `{split}`, where it is another name than the task's.
    """

    folder: Path | None
    hub: Hub | None
    files: str | None
    config: str | None
    columns: Columns
    languages: tuple[str, ...]
    splits: tuple[Split, ...]
    split_names: Mapping[Split, str]

    def in_folder(self, folder: Path) -> Source:
        """The same source with its files in a local folder."""
        return replace(self, folder=folder)

    def below(self, folder: Path) -> Source:
        """The same source, where a folder has one of its data set's name with its files in there."""
        below = folder / self.hub.path.rpartition("/")[2] if self.hub is not None else folder
        return replace(self, folder=below) if self.hub is not None and is_folder(below) else self


def read_source(table: TomlTable, codes: tuple[str, ...], columns: Columns | None = None) -> Source:
    """The main source, or one of `[[sources]]`.

    Args:
        codes: the task's languages.
        columns: those of the main source, for one that says nothing else.

    Raises:
        ConfigError: the first key or value that breaks a rule.
    """
    hub, config, data = _hub(table.table("hub")), table.text("config"), table.text("data")
    if config is not None and hub is None and data is None:
        raise ConfigError(f"{table.where}: config needs [hub], or data, a local folder in the hub's layout")
    own_columns = "columns" in table.values or columns is None
    return Source(
        folder=None if hub is not None and data is None else table.folder / (data or "."),
        hub=hub,
        files=None if config is not None else _files(table),
        config=_config(table, config),
        columns=read_columns(table.table("columns")) if own_columns or columns is None else columns,
        languages=codes_of(table, "languages", codes) or codes if columns is not None else codes,
        splits=_splits(table) if columns is not None else SPLITS,
        split_names=_split_names(table.table("split_names")) if columns is not None else {},
    )


def read_sources(table: TomlTable, codes: tuple[str, ...]) -> tuple[Source, ...]:
    """The main source and those under `[[sources]]`; ConfigError as `read_source`."""
    main = read_source(table, codes)
    further = []
    for inner in table.tables("sources"):
        inner.check_keys((*KEYS, "languages", "splits", "split_names"))
        further.append(read_source(inner, codes, main.columns))
    return (main, *further)


def _hub(table: TomlTable) -> Hub | None:
    if not table.values:
        return None
    table.check_keys(_HUB_KEYS)
    path, revision = table.text("path"), table.text("revision")
    if path is None or not _HUB_ID.fullmatch(path):
        raise table.fault("path", "a data set of the hub, such as mteb/NusaX-senti", path)
    if revision is None or not _REVISION.fullmatch(revision):
        raise table.fault("revision", "a commit of 40 hexadecimal digits, so that the data cannot change", revision)
    return Hub(path, revision, table.texts("fetch") or _DATA_FILES)


def _config(table: TomlTable, config: str | None) -> str | None:
    if config is not None and not re.fullmatch(r"(?!\.+$)[\w.-]*(\{language\})?[\w.-]*", config):
        raise table.fault(
            "config", "a configuration, with {language} in it or not, such as 'en' or '{language}'", config
        )
    return config


def _splits(table: TomlTable) -> tuple[Split, ...]:
    listed = table.texts("splits")
    if listed is None:
        return SPLITS
    wrong = next((name for name in listed if name not in SPLITS), None)
    if wrong is not None:
        raise table.fault("splits", f"some of {', '.join(SPLITS)}", wrong)
    return tuple(split for split in SPLITS if split in listed)


def _split_names(table: TomlTable) -> dict[Split, str]:
    table.check_keys(SPLITS)
    names = {split: table.text(split) for split in SPLITS}
    return {split: _plain(table, name) for split, name in names.items() if name is not None}


def _plain(table: TomlTable, name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise ConfigError(f"{table.where}: '{table.cut(name)}' is no name of a split in the files; it has no / in it")
    return name


def _files(table: TomlTable) -> str:
    files = table.text("files") or DEFAULT_FILES
    if sorted(re.findall(r"{(.*?)}", files)) != ["language", "split"]:
        raise ConfigError(
            f"{table.where}: files must have {{language}} and {{split}} once each, as in '{DEFAULT_FILES}', "
            f"not '{table.cut(files)}'"
        )
    if files.startswith("/") or "**" in files or ".." in PurePosixPath(files).parts:
        raise ConfigError(
            f"{table.where}: files is a path inside the data folder, with single * and without .., not "
            f"'{table.cut(files)}'; where that folder lies is said by data"
        )
    if not files.endswith(ENDINGS):
        raise ConfigError(f"{table.where}: files must end with {', '.join(ENDINGS)}, not '{table.cut(files)}'")
    return files


def filled(pattern: str, language: str, split: str) -> str:
    """A pattern with its placeholders replaced, once each: a name may look like a placeholder."""
    names: Mapping[str, str] = {LANGUAGE: language, SPLIT: split}
    return re.sub(r"\{language\}|\{split\}", lambda match: names[match[0]], pattern)
