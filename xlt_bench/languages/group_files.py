"""Sets of languages that users name in a TOML file, for their own task or, with `--groups`, for any other.

Two tables say them, groups and what holds for one backbone alone (its pre-training languages; `unseen` and
`seen-wo-joshi5` follow from them):

    [groups]
    slavic = ["ces_Latn", "pol_Latn", "rus_Cyrl"]

    [backbones."acme/bert"]
    seen = ["ces_Latn", "eng_Latn"]
    low-performing = ["hsb_Latn"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.backbones.languages import is_backbone
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.toml_files import TomlTable, read_toml
from xlt_bench.languages.groups import SOURCE_GROUPS, SOURCES, TARGET_GROUPS, Groups
from xlt_bench.languages.hints import likely_code

KEYS = ("groups", "backbones")
RESERVED = (*SOURCE_GROUPS, *TARGET_GROUPS, SOURCES, "none")
"""Names with a meaning of their own in `--sources` and `--targets`."""

_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class BackboneSets:
    """What is known of a task's languages for one backbone; None: not known."""

    seen: frozenset[str] | None
    low_performing: frozenset[str] | None


@dataclass(frozen=True)
class LanguageSets:
    """Groups by name, and what is known for single backbones by the backbone's name."""

    groups: Groups
    backbones: Mapping[str, BackboneSets]

    def of_backbone(self, backbone: str) -> BackboneSets:
        """What is known for a backbone, given as `--backbone` has it."""
        names = (name for name in self.backbones if is_backbone(name, backbone))
        return self.backbones.get(next(names, ""), BackboneSets(None, None))


def language_sets(section: TomlTable, languages: Iterable[str]) -> LanguageSets:
    """The tables `groups` and `backbones` of a TOML file.

    Args:
        languages: the task's codes.

    Raises:
        ConfigError: a group's name that cannot be used, or a code that is none of the task's.
    """
    codes = tuple(languages)
    named, backbones = section.table("groups"), section.table("backbones")
    groups = {}
    for name in named.values:
        check_name("group", name, named.where)
        if name in codes:
            raise ConfigError(f"{named.where}: '{name}' is also a language of the task; give the group another name")
        groups[name] = _members(named, name, codes)
    empty = next((name for name, members in groups.items() if not members), None)
    if empty is not None:
        raise ConfigError(f"{named.where}: group '{empty}' has no languages; list at least one")
    by_backbone = {name: _backbone_sets(backbones.table(name), codes) for name in backbones.values}
    return LanguageSets({name: members for name, members in groups.items() if members}, by_backbone)


def with_groups(path: Path, groups: Groups, languages: Iterable[str], *, task: str, backbone: str) -> Groups:
    """The groups known for a task and a backbone, with those of a user's file.

    Args:
        path: of the file, see the module's docstring.
        groups: what the task knows for the backbone.
        languages: the task's codes.

    Raises:
        ConfigError: the file breaks a rule, or defines anew what is known.
    """
    section = read_toml(path)
    section.check_keys(KEYS)
    sets = language_sets(section, languages)
    of_backbone = sets.of_backbone(backbone)
    added: dict[str, frozenset[str] | None] = {
        **sets.groups,
        "seen": of_backbone.seen,
        "low-performing": of_backbone.low_performing,
    }
    for name, members in added.items():
        if members and name in groups:
            raise ConfigError(
                f"{path}: group '{name}' is already known for task {task} and backbone {backbone}; "
                "give yours another name"
            )
    if of_backbone.seen is not None:
        added["unseen"] = frozenset(languages) - of_backbone.seen
        added["seen-wo-joshi5"] = of_backbone.seen - groups.get("joshi5", frozenset())
    return {**groups, **{name: members for name, members in added.items() if members}}


def check_name(kind: str, name: str, where: str) -> None:
    """Refuse the name of a language or group that `--sources` and `--targets` could not read or would take for another.

    Raises:
        ConfigError: see there.
    """
    if name in RESERVED:
        raise ConfigError(f"{where}: '{name}' has a meaning of its own; give the {kind} another name")
    if _NAME.fullmatch(name) is None:
        raise ConfigError(f"{where}: '{name}' is no name of a {kind}: letters, digits and single . _ - between them")


def codes_of(section: TomlTable, key: str, codes: tuple[str, ...]) -> tuple[str, ...] | None:
    """A list of the task's codes, None where the key is absent; ConfigError for a code that is none of them."""
    listed = section.texts(key)
    members = set(codes)
    for code in listed or ():
        if code not in members:
            likely, see = likely_code(code, codes), f"the task's {len(codes)} languages"
            reason = (
                f"no language '{code}'; did you mean '{likely}'?" if likely else unknown("language", code, codes, see)
            )
            raise ConfigError(f"{section.where}: {key}: {reason}")
    return listed


def _members(section: TomlTable, key: str, codes: tuple[str, ...]) -> frozenset[str] | None:
    listed = codes_of(section, key, codes)
    return None if listed is None else frozenset(listed)


def _backbone_sets(section: TomlTable, codes: tuple[str, ...]) -> BackboneSets:
    section.check_keys(("seen", "low-performing"))
    return BackboneSets(_members(section, "seen", codes), _members(section, "low-performing", codes))
