"""Groups of languages, and the small language in which a user names them.

A group belongs to a (task, backbone) pair: which languages a backbone saw in pre-training is known for some backbones
only. A group that is not known is absent from the mapping and is never guessed.

Grammar of an expression, read left to right, spaces allowed around operators:

    expression = name { ("+" | "," | "-") name }        name = a group | a language code

`+` and `,` add to the set so far and `-` takes away: `seen-joshi5`, `enarzho+deu_Latn`, `eng_Latn,deu_Latn`. Group
names contain hyphens, so at each place the longest known name is read.

A `--targets` expression may also use `sources`. If it only lists groups with `+` or `,` (`unseen,low-performing`), each
is a row of its own; any other (a code in it, or a `-`) is one row, named by the expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from xlt_bench.errors import BackboneError, ConfigError, XltBenchError, unknown
from xlt_bench.languages.table import likely_code
from xlt_bench.task import Language

Groups = Mapping[str, frozenset[str]]

ENARZHO = frozenset({"eng_Latn", "arb_Arab", "zho_Hans"})
SOURCE_GROUPS = ("enarzho", "joshi5", "seen", "all")
TARGET_GROUPS = ("all-wo-joshi5", "seen-wo-joshi5", "unseen", "low-performing")
PRETRAINING_GROUPS = ("seen", "unseen", "seen-wo-joshi5", "low-performing")
SOURCES = "sources"
IN_LANGUAGE = "sources (in-language)"

LIKE_XLMR = {
    "nano": "nano",
    "xlm-roberta-base": "xlm-roberta-base",
    "xlm-roberta-large": "xlm-roberta-large",
    "FacebookAI/xlm-roberta-base": "xlm-roberta-base",
    "FacebookAI/xlm-roberta-large": "xlm-roberta-large",
}


def pretrained_like_xlmr(backbone: str) -> str | None:
    """The short name of a backbone that saw the languages of XLM-R, None for any other.

    `backbone` is `nano`, a hub id, or a local folder, which counts as the backbone whose name it bears.
    """
    if backbone in LIKE_XLMR:
        return LIKE_XLMR[backbone]
    folder = Path(backbone)
    return LIKE_XLMR.get(folder.resolve().name) if folder.is_dir() else None


def named_groups(
    languages: Mapping[str, Language], *, seen: frozenset[str] | None, low_performing: frozenset[str] | None
) -> dict[str, frozenset[str]]:
    """The groups of a task (Mikaberidze et al. 2025), source groups first. None: not known; an empty group is left out.

    `joshi5` is class 5 of Joshi et al. (2020), `enarzho` English, Arabic and Chinese in simplified script, all three.
    """
    everything = frozenset(languages)
    joshi5 = frozenset(code for code, language in languages.items() if language.joshi == 5)
    found: dict[str, frozenset[str] | None] = {
        "enarzho": ENARZHO if everything >= ENARZHO else None,
        "joshi5": joshi5,
        "seen": seen,
        "all": everything,
        "all-wo-joshi5": everything - joshi5,
        "seen-wo-joshi5": None if seen is None else seen - joshi5,
        "unseen": None if seen is None else everything - seen,
        "low-performing": low_performing,
    }
    return {name: members for name, members in found.items() if members}


def parse_languages(
    expression: str, groups: Groups, languages: Iterable[str], *, what: str, backbone: str = "this backbone"
) -> tuple[str, ...]:
    """The languages that an expression names, in the task's order.

    Args:
        expression: see the module's docstring.
        groups: the groups known for the task and the backbone.
        languages: the task's languages, in order.
        what: what the expression is for (`--sources`), as the user wrote it; errors begin with it.
        backbone: its name, for errors.

    Raises:
        ConfigError: an unknown name, a missing one, or no language left.
        BackboneError: a group that depends on the pre-training of a backbone of which that is not known.
    """
    ordered = tuple(languages)
    chosen: frozenset[str] = frozenset()
    for operator, name in _terms(expression, _names(groups, ordered), what):
        if name not in groups and name not in ordered:
            raise _no_such(name, groups, ordered, f"{what} '{expression}'", backbone)
        members = groups.get(name, frozenset({name}))
        chosen = chosen - members if operator == "-" else chosen | members
    if not chosen:
        raise ConfigError(f"{what} '{expression}' is an empty set of languages; see: xlt-bench ls groups")
    return _ordered(chosen, ordered)


def target_groups(
    spec: str | None,
    sources: Iterable[str],
    groups: Groups,
    languages: Iterable[str],
    *,
    backbone: str = "this backbone",
) -> dict[str, tuple[str, ...]]:
    """The target rows: shown name -> languages in the task's order. No row but the in-language one holds a source.

    None means the task's target groups that are disjoint from the sources and, if there is none, all other languages.
    A group that overlaps with the sources is scored on the rest and shown as `seen minus 7`.

    Raises:
        ConfigError: as `parse_languages`; or nothing but sources is left.
        BackboneError: as `parse_languages`.
    """
    ordered, known = tuple(languages), frozenset(sources)
    if spec is None:
        return _default_targets(known, groups, ordered)
    extended = {**groups, SOURCES: known} if known else groups
    terms = _terms(spec, _names(extended, ordered), "--targets")
    each = all(operator != "-" and name not in ordered for operator, name in terms)
    rows = {}
    for row in [name for _, name in terms] if each else [spec.strip()]:
        members = parse_languages(row, extended, ordered, what="--targets", backbone=backbone)
        shown, rest = (IN_LANGUAGE, members) if row == SOURCES else _without_sources(row, members, known)
        rows[shown] = rest
    return rows


def _default_targets(sources: frozenset[str], groups: Groups, ordered: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    disjoint = [name for name in TARGET_GROUPS if groups.get(name) and not groups[name] & sources]
    if disjoint:
        return {name: _ordered(groups[name], ordered) for name in disjoint}
    shown, rest = _without_sources("all", ordered, sources)
    return {shown: rest}


def _without_sources(name: str, members: tuple[str, ...], sources: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """A row's shown name and its languages that are no sources; ConfigError if there are none."""
    rest = tuple(code for code in members if code not in sources)
    if not rest:
        raise ConfigError(
            f"target group '{name}' lies entirely within the sources, so nothing is left to transfer to; "
            "to score the sources themselves: --targets sources"
        )
    return (name if len(rest) == len(members) else f"{name} minus {len(members) - len(rest)}"), rest


def _ordered(members: frozenset[str], ordered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for code in ordered if code in members)


def _names(groups: Groups, ordered: tuple[str, ...]) -> tuple[str, ...]:
    """Every name that can be read in an expression, the longest first; also those of groups that are not known here."""
    return tuple(sorted({*groups, *PRETRAINING_GROUPS, *ordered}, key=len, reverse=True))


def _terms(expression: str, names: tuple[str, ...], what: str) -> list[tuple[str, str]]:
    """The (operator, name) pairs of an expression; the first operator is `+`. Names may be unknown, not empty."""
    terms, operator, rest = [], "+", expression.strip()
    while True:
        name = _leading_name(rest, names)
        if not name:
            raise ConfigError(f"{what} '{expression}': a group or language code is missing; see: xlt-bench ls groups")
        terms.append((operator, name))
        rest = rest[len(name) :].lstrip()
        if not rest:
            return terms
        operator, rest = rest[0], rest[1:].lstrip()


def _leading_name(text: str, names: tuple[str, ...]) -> str:
    """The longest known name that the text begins with; else everything before an operator that a name may follow."""
    for name in names:
        if text.startswith(name) and text[len(name) :].lstrip()[:1] in ("", "+", ",", "-"):
            return name
    whole = re.split(r"[+,]", text, maxsplit=1)[0]
    cuts = (hyphen.start() for hyphen in re.finditer("-", whole) if whole[hyphen.end() :].lstrip().startswith(names))
    return whole[: next(cuts, len(whole))].rstrip()


def _no_such(name: str, groups: Groups, ordered: tuple[str, ...], where: str, backbone: str) -> XltBenchError:
    """The error for a name that is neither a known group nor a language of the task."""
    if name in PRETRAINING_GROUPS:
        return BackboneError(f"{where}: {_why_undefined(name, groups, backbone)}")
    see = "xlt-bench ls groups"
    likely = likely_code(name, ordered)
    if likely:
        return ConfigError(f"{where}: no language or group '{name}'; did you mean '{likely}'? see: {see}")
    if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", name):
        return ConfigError(f"{where}: '{name}' is none of the task's {len(ordered)} languages; see: {see}")
    known = (*groups, *PRETRAINING_GROUPS, *ordered)
    return ConfigError(f"{where}: {unknown('language or group', name, known, see)}")


def _why_undefined(name: str, groups: Groups, backbone: str) -> str:
    usable = ", ".join(other for other in SOURCE_GROUPS if other in groups)
    if "seen" not in groups and "unseen" not in groups:
        why = f"which languages {backbone} saw is not known, so group '{name}' is not defined for it"
    elif name == "low-performing":
        why = f"group '{name}' was not measured for {backbone} on this task"
    else:
        why = f"group '{name}' is empty for {backbone} on this task"
    return f"{why}; name languages by code, or use {usable}"
