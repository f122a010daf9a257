"""What a `task.toml` says: read, every key and value checked, before any data file is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.toml_files import Section, read_toml
from xlt_bench.languages.group_files import LanguageSets, check_name, codes_of, language_sets
from xlt_bench.languages.groups import SOURCE_GROUPS, TARGET_GROUPS
from xlt_bench.languages.table import language_of
from xlt_bench.recipe import PRESETS
from xlt_bench.task import SPLITS, Language, Split

Items = Literal["parallel", "overlapping", "by-line", "separate"]
"""What items of two languages have to do with each other.

parallel: an id is the same item in every language, and every language has it. overlapping: likewise, but a language may
lack items. by-line: line n of a split is the same item in every language; there are no ids. separate: nothing.
"""

ITEMS: tuple[Items, ...] = ("parallel", "overlapping", "by-line", "separate")
ENDINGS = (".tsv", ".csv", ".parquet")
QUOTES = ("csv", "none")

_KEYS = (
    *("name", "summary", "labels", "languages", "data", "files", "items", "quotes", "columns", "splits"),
    *("groups", "backbones", "backbone", "preset", "seeds", "full_targets", "full_seeds", "primary"),
)
_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


@dataclass(frozen=True)
class Columns:
    """Names of the columns; None: there is no such column.

    `cluster` is read of test items only: those that share a value in a language are not independent of each other. It
    may be one of the others: the first texts of pairs, premises say, are the rule.
    """

    text: str
    label: str
    id: str | None
    text_pair: str | None
    cluster: str | None

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are read of every split."""
        return tuple(name for name in (self.id, self.label, self.text, self.text_pair) if name is not None)

    def of_split(self, split: Split) -> tuple[str, ...]:
        """All columns that are read of a split."""
        return tuple(dict.fromkeys((*self.named, *([self.cluster] if self.cluster and split == "test" else []))))


@dataclass(frozen=True)
class Layout:
    """Where the items stand.

    Attributes:
        toml: the `task.toml`, for errors.
        data: the folder that `files` counts from.
        files: path of a file, with `{language}` and `{split}` in it; `*` stands for any text.
        splits: what stands for `{split}`.
        languages: split -> languages that have it, in the task's order.
        quotes: whether a field may be quoted, as `csv` has it; otherwise quotation marks are text.
    """

    toml: Path
    data: Path
    files: str
    labels: tuple[str, ...]
    columns: Columns
    splits: Mapping[Split, str]
    languages: Mapping[Split, tuple[str, ...]]
    items: Items
    quotes: bool


@dataclass(frozen=True)
class Spec:
    """A task as its TOML file describes it; see `docs/adding-a-task.md` for the keys."""

    name: str
    summary: str
    languages: Mapping[str, Language]
    layout: Layout
    sets: LanguageSets
    backbone: str
    preset: str
    seeds: int
    full_targets: tuple[str, ...]
    full_seeds: int
    primary: str | None

    def with_data(self, folder: Path) -> Spec:
        """The same task with its files in another folder."""
        return replace(self, layout=replace(self.layout, data=folder))


def read_spec(path: Path) -> Spec:
    """Read and check a `task.toml`.

    Raises:
        ConfigError: it is no TOML, or the first key or value that breaks a rule.
    """
    section = read_toml(path)
    section.check_keys(_KEYS)
    languages = _languages(section)
    labels = _labels(section)
    sets = language_sets(section, languages)
    backbone = section.text("backbone") or "nano"
    return Spec(
        name=_name(section, path),
        summary=section.text("summary") or f"{len(labels)} classes, {len(languages)} languages; from {path.name}",
        languages=languages,
        layout=_layout(section, path, labels, tuple(languages)),
        sets=sets,
        backbone=backbone,
        preset=_choice(section, "preset", tuple(PRESETS)) or ("cldr" if backbone == "nano" else "paper"),
        seeds=section.count("seeds") or 3,
        full_targets=_full_targets(section, sets),
        full_seeds=section.count("full_seeds") or 6,
        primary=_primary(section, sets),
    )


def _name(section: Section, path: Path) -> str:
    """The task's name: as said, else that of its folder."""
    name = section.text("name") or path.resolve().parent.name
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{section.where}: '{name}' is no name of a task: small letters, digits and single . _ - between them; "
            'say name = "..."'
        )
    return name


def _labels(section: Section) -> tuple[str, ...]:
    labels = section.texts("labels")
    if labels is None or len(labels) < 2:
        raise ConfigError(f'{section.where}: labels must list at least 2 classes, such as ["negative", "positive"]')
    return labels


def _languages(section: Section) -> dict[str, Language]:
    """From a list of codes, or from a table of codes with what is known of them."""
    if isinstance(section.values.get("languages"), dict):
        table = section.section("languages")
        found = {code: _language(table.section(code), code) for code in table.values}
    else:
        found = {code: language_of(code) for code in section.texts("languages") or ()}
    if not found:
        raise ConfigError(f'{section.where}: languages must list the codes, such as ["eng_Latn", "deu_Latn"]')
    for code in found:
        check_name("language", code, section.where)
    return found


def _language(section: Section, code: str) -> Language:
    section.check_keys(("name", "script", "family", "joshi"))
    joshi = section.values.get("joshi")
    if joshi is not None and not (type(joshi) is int and 0 <= joshi <= 5):
        raise section.fault("joshi", "a class of Joshi et al. (2020), from 0 to 5", joshi)
    known = language_of(code)
    return Language(
        code,
        section.text("name") or known.name,
        section.text("script") or known.script,
        section.text("family") or known.family,
        known.joshi if joshi is None else joshi,
    )


def _layout(section: Section, path: Path, labels: tuple[str, ...], codes: tuple[str, ...]) -> Layout:
    columns = _columns(section.section("columns"))
    splits, languages = _splits(section.section("splits"), codes)
    return Layout(
        toml=path,
        data=path.parent / (section.text("data") or "."),
        files=_files(section),
        labels=labels,
        columns=columns,
        splits=splits,
        languages=languages,
        items=_items(section, columns),
        quotes=_choice(section, "quotes", QUOTES) != "none",
    )


def _columns(section: Section) -> Columns:
    section.check_keys(("id", "label", "text", "text_pair", "cluster"))
    text, text_pair = section.text("text") or "text", section.text("text_pair")
    columns = Columns(
        text=text,
        label=section.text("label") or "label",
        id=section.text("id"),
        text_pair=text_pair,
        cluster=section.text("cluster") or (text if text_pair else None),
    )
    if len(set(columns.named)) < len(columns.named):
        raise ConfigError(f"{section.where}: two of {', '.join(columns.named)} are one column; each needs its own")
    return columns


def _splits(section: Section, codes: tuple[str, ...]) -> tuple[dict[Split, str], dict[Split, tuple[str, ...]]]:
    """What each split is called in file names, and which languages have it."""
    section.check_keys(SPLITS)
    names: dict[Split, str] = {}
    languages: dict[Split, tuple[str, ...]] = {}
    for split in SPLITS:
        own = codes
        if isinstance(section.values.get(split), dict):
            inner = section.section(split)
            inner.check_keys(("file", "languages"))
            names[split] = inner.text("file") or split
            own = codes_of(inner, "languages", codes) or codes
        else:
            names[split] = section.text(split) or split
        languages[split] = tuple(code for code in codes if code in own)
    if len(set(names.values())) < len(names):
        raise ConfigError(f"{section.where}: two splits have one name in the files; each needs its own")
    if languages["test"] != codes:
        raise ConfigError(f"{section.where}: every language needs a test split; leave languages out of test")
    without = [code for code in languages["train"] if code not in languages["dev"]]
    if without:
        raise ConfigError(
            f"{section.where}: {', '.join(without)} would train without dev, which selects the checkpoint; "
            "a language with a train split needs a dev split"
        )
    return names, languages


def _files(section: Section) -> str:
    files = section.text("files") or "{language}/{split}.tsv"
    named = re.findall(r"{(.*?)}", files)
    if sorted(named) != ["language", "split"]:
        raise ConfigError(
            f"{section.where}: files must have {{language}} and {{split}} once each, as in "
            f"'{{language}}/{{split}}.tsv', not '{files}'"
        )
    if Path(files).is_absolute() or "**" in files:
        raise ConfigError(
            f"{section.where}: files is a path inside the data folder, with single *, not '{files}'; "
            "where that folder lies is said by data"
        )
    if not files.endswith(ENDINGS):
        raise ConfigError(f"{section.where}: files must end with {', '.join(ENDINGS)}, not '{files}'")
    return files


def _items(section: Section, columns: Columns) -> Items:
    said = _choice(section, "items", ITEMS)
    items: Items = next((known for known in ITEMS if known == said), "parallel" if columns.id else "separate")
    if items in ("parallel", "overlapping") and columns.id is None:
        raise ConfigError(
            f'{section.where}: items = "{items}" needs an id column: say which under [columns], as id = "..."; '
            'without ids items are "by-line" or "separate"'
        )
    if items == "by-line" and columns.id is not None:
        raise ConfigError(f'{section.where}: items = "by-line" is for files without ids; leave out the id column')
    return items


def _primary(section: Section, sets: LanguageSets) -> str | None:
    name, groups = section.text("primary"), (*sets.groups, *TARGET_GROUPS)
    if name is not None and name not in groups:
        raise ConfigError(f"{section.where}: primary: {unknown('group', name, groups, ', '.join(groups))}")
    return name


def _full_targets(section: Section, sets: LanguageSets) -> tuple[str, ...]:
    known = (*sets.groups, *SOURCE_GROUPS, *TARGET_GROUPS)
    named = section.texts("full_targets") or ()
    for name in named:
        if name not in known:
            raise ConfigError(f"{section.where}: full_targets: {unknown('group', name, known, ', '.join(known))}")
    return named


def _choice(section: Section, key: str, known: tuple[str, ...]) -> str | None:
    value = section.text(key)
    if value is not None and value not in known:
        raise ConfigError(f"{section.where}: {unknown(key, value, known, ', '.join(known))}")
    return value
