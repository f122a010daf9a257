"""What a `task.toml` says: read, every key and value checked, before any data file is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.toml_files import TomlTable, read_toml
from xlt_bench.languages.group_files import LanguageSets, check_name, language_sets
from xlt_bench.languages.groups import SOURCE_GROUPS, TARGET_GROUPS
from xlt_bench.languages.table import language_of
from xlt_bench.metrics import ACCURACY, METRICS
from xlt_bench.recipe import PRESETS
from xlt_bench.task import Language
from xlt_bench.tasks.files.layout import Layout, read_layout
from xlt_bench.tasks.files.sources import KEYS as SOURCE_KEYS

KEYS = (
    *("name", "summary", "licence", "citation", "labels", "languages", "items", "quotes", "empty", "splits", "origin"),
    *SOURCE_KEYS,
    *("sources", "groups", "backbones", "backbone", "preset", "max_length", "seeds"),
    *("full_targets", "full_seeds", "primary", "metric"),
)
_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class TaskDescription:
    """A task as its TOML file describes it; see `docs/adding-a-task.md` for the keys."""

    name: str
    summary: str
    licence: str
    citation: str
    languages: Mapping[str, Language]
    layout: Layout
    sets: LanguageSets
    backbone: str
    preset: str
    max_length: int | None
    seeds: int
    full_targets: tuple[str, ...]
    full_seeds: int
    primary: str | None
    metric: str

    def in_folder(self, folder: Path) -> TaskDescription:
        """The same task with its files in another folder."""
        return replace(self, layout=self.layout.in_folder(folder))


def read_description(path: Path) -> TaskDescription:
    """Read and check a `task.toml`.

    Raises:
        ConfigError: it is no TOML, or the first key or value that breaks a rule.
    """
    table = read_toml(path)
    table.check_keys(KEYS)
    languages, folders = _languages(table)
    labels = _labels(table)
    sets = language_sets(table, languages)
    backbone = _short(table, "backbone") or "nano"
    return TaskDescription(
        name=_name(table, path),
        summary=table.text("summary") or f"{len(labels)} classes, {len(languages)} languages; from {path.name}",
        licence=table.text("licence") or "",
        citation=table.text("citation") or "",
        languages=languages,
        layout=read_layout(table, path, labels, folders),
        sets=sets,
        backbone=backbone,
        preset=table.choice("preset", tuple(PRESETS)) or ("cldr" if backbone == "nano" else "paper"),
        max_length=table.count("max_length"),
        seeds=table.count("seeds") or 3,
        full_targets=_full_targets(table, sets),
        full_seeds=table.count("full_seeds") or 6,
        primary=_primary(table, sets),
        metric=table.choice("metric", tuple(METRICS)) or ACCURACY.name,
    )


def _name(table: TomlTable, path: Path) -> str:
    """The task's name: as said, else that of its folder."""
    name = table.text("name") or path.resolve().parent.name
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST_NAME:
        raise ConfigError(
            f"{table.where}: '{table.cut(name)}' is no name of a task: small letters, digits and single . _ - between "
            f'them, at most {_LONGEST_NAME}; say name = "..."'
        )
    return name


def _short(table: TomlTable, key: str) -> str | None:
    text = table.text(key)
    if text is not None and len(text) > _LONGEST_NAME:
        raise table.fault(key, f"a name of at most {_LONGEST_NAME} characters", text)
    return text


def _labels(table: TomlTable) -> tuple[str, ...]:
    labels = table.texts("labels")
    if labels is None or len(labels) < 2:
        raise ConfigError(f'{table.where}: labels must list at least 2 classes, such as ["negative", "positive"]')
    return labels


def _languages(table: TomlTable) -> tuple[dict[str, Language], dict[str, str]]:
    """By code: what is known of each language, and what stands for it in paths; from a list of codes, or a table."""
    if isinstance(table.values.get("languages"), dict):
        inner = table.table("languages")
        tables = {code: inner.table(code) for code in inner.values}
        languages = {code: _language(entry, code) for code, entry in tables.items()}
        folders = {code: _folder(entry, code) for code, entry in tables.items()}
    else:
        codes = table.texts("languages") or ()
        languages = {code: language_of(code) for code in codes}
        folders = {code: code for code in codes}
    if not languages:
        raise ConfigError(f'{table.where}: languages must list the codes, such as ["eng_Latn", "deu_Latn"]')
    for code in languages:
        check_name("language", code, table.where)
    return languages, folders


def _language(table: TomlTable, code: str) -> Language:
    table.check_keys(("name", "script", "family", "joshi", "folder"))
    joshi = table.values.get("joshi")
    if joshi is not None and not (type(joshi) is int and 0 <= joshi <= 5):
        raise table.fault("joshi", "a class of Joshi et al. (2020), from 0 to 5", joshi)
    entry = language_of(code)
    return Language(
        code,
        table.text("name") or entry.name,
        table.text("script") or entry.script,
        table.text("family") or entry.family,
        entry.joshi if joshi is None else joshi,
    )


def _folder(table: TomlTable, code: str) -> str:
    folder = _short(table, "folder") or code
    if "/" in folder or folder in (".", ".."):
        raise table.fault("folder", "what stands for {language} in paths, without /", folder)
    return folder


def _primary(table: TomlTable, sets: LanguageSets) -> str | None:
    name, groups = table.text("primary"), (*sets.groups, *TARGET_GROUPS)
    if name is not None and name not in groups:
        raise ConfigError(f"{table.where}: primary: {unknown('group', table.cut(name), groups, ', '.join(groups))}")
    return name


def _full_targets(table: TomlTable, sets: LanguageSets) -> tuple[str, ...]:
    groups = (*sets.groups, *SOURCE_GROUPS, *TARGET_GROUPS)
    names = table.texts("full_targets") or ()
    for name in names:
        if name not in groups:
            raise ConfigError(
                f"{table.where}: full_targets: {unknown('group', table.cut(name), groups, ', '.join(groups))}"
            )
    return names
