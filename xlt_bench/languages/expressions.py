"""The small language in which a user names sets of languages.

Grammar of an expression, read left to right, spaces allowed around operators:

    expression = name { ("+" | "," | "-") name }        name = a group | a language code

`+` and `,` add to the set so far and `-` takes away: `seen-joshi5`, `enarzho+deu_Latn`, `eng_Latn,deu_Latn`. Group
names contain hyphens, so at each place the longest known name is read.

A `--targets` expression may also use `sources`. If it only lists groups with `+` or `,` (`unseen,low-performing`), each
is a row of its own; any other (a code in it, or a `-`) is one row, named by the expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from xlt_bench.errors import BackboneError, ConfigError, XltBenchError, unknown
from xlt_bench.languages.groups import IN_LANGUAGE, PRETRAINING_GROUPS, SOURCE_GROUPS, SOURCES, TARGET_GROUPS, Groups
from xlt_bench.languages.hints import likely_code


def parse_languages(
    expression: str, groups: Groups, languages: Iterable[str], *, option: str, backbone: str = "this backbone"
) -> tuple[str, ...]:
    """The languages that an expression names, in the task's order.

    Args:
        expression: see the module's docstring.
        groups: the groups known for the task and the backbone.
        languages: the task's languages, in order.
        option: what the expression is for (`--sources`), as the user wrote it; errors begin with it.
        backbone: its name, for errors.

    Raises:
        ConfigError: an unknown name, a missing one, or no language left.
        BackboneError: a group that depends on the pre-training of a backbone of which that is not known.
    """
    ordered = tuple(languages)
    chosen: frozenset[str] = frozenset()
    for operator, name in _terms(expression, _names(groups, ordered), option):
        if name not in groups and name not in ordered:
            raise _no_such(name, groups, ordered, f"{option} '{expression}'", backbone)
        members = groups.get(name, frozenset({name}))
        chosen = chosen - members if operator == "-" else chosen | members
    if not chosen:
        raise ConfigError(f"{option} '{expression}' is an empty set of languages; see: xlt-bench ls groups")
    return _ordered(chosen, ordered)


def expression_of(codes: Iterable[str], groups: Groups, languages: Iterable[str]) -> str:
    """The expression of fewest names for a set of languages: the same, however a user wrote the set.

    One group with what is added to it and taken from it, or codes alone; of equally short ones codes come first.
    """
    ordered, members = tuple(languages), frozenset(codes)

    def terms(base: str) -> list[str]:
        present = groups.get(base, frozenset())
        added, removed = _ordered(members - present, ordered), _ordered(present - members, ordered)
        return [*([base] if base else []), *(f"+{code}" for code in added), *(f"-{code}" for code in removed)]

    shortest = min((terms(base) for base in ["", *groups]), key=len)
    return "".join(shortest).removeprefix("+")


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
    ordered, source_codes = tuple(languages), frozenset(sources)
    if spec is None:
        return _default_targets(source_codes, groups, ordered)
    extended = {**groups, SOURCES: source_codes} if source_codes else groups
    terms = _terms(spec, _names(extended, ordered), "--targets")
    lists_groups = all(operator != "-" and name not in ordered for operator, name in terms)
    rows = {}
    for row in [name for _, name in terms] if lists_groups else [spec.strip()]:
        members = parse_languages(row, extended, ordered, option="--targets", backbone=backbone)
        title, targets = (IN_LANGUAGE, members) if row == SOURCES else _without_sources(row, members, source_codes)
        rows[title] = targets
    return rows


def _default_targets(sources: frozenset[str], groups: Groups, ordered: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    disjoint = [name for name in TARGET_GROUPS if groups.get(name) and not groups[name] & sources]
    if disjoint:
        return {name: _ordered(groups[name], ordered) for name in disjoint}
    title, targets = _without_sources("all", ordered, sources)
    return {title: targets}


def _without_sources(name: str, members: tuple[str, ...], sources: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """A row's shown name and its languages that are no sources; ConfigError if there are none."""
    targets = tuple(code for code in members if code not in sources)
    if not targets:
        raise ConfigError(
            f"target group '{name}' lies entirely within the sources, so nothing is left to transfer to; "
            "to score the sources themselves: --targets sources"
        )
    overlap = len(members) - len(targets)
    return (f"{name} minus {overlap}" if overlap else name), targets


def _ordered(members: frozenset[str], ordered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for code in ordered if code in members)


def _names(groups: Groups, ordered: tuple[str, ...]) -> tuple[str, ...]:
    """Every name that can be read in an expression, the longest first; also those of groups that are not known here."""
    return tuple(sorted({*groups, *PRETRAINING_GROUPS, *ordered}, key=len, reverse=True))


def _terms(expression: str, names: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    """The (operator, name) pairs of an expression; the first operator is `+`. Names may be unknown, not empty."""
    terms, operator, remainder = [], "+", expression.strip()
    while True:
        name = _leading_name(remainder, names)
        if not name:
            raise ConfigError(f"{option} '{expression}': a group or language code is missing; see: xlt-bench ls groups")
        terms.append((operator, name))
        remainder = remainder[len(name) :].lstrip()
        if not remainder:
            return terms
        operator, remainder = remainder[0], remainder[1:].lstrip()


def _leading_name(text: str, names: tuple[str, ...]) -> str:
    """The longest known name that the text begins with; else everything before an operator that a name may follow."""
    for name in names:
        if text.startswith(name) and text[len(name) :].lstrip()[:1] in ("", "+", ",", "-"):
            return name
    term = re.split(r"[+,]", text, maxsplit=1)[0]
    cuts = (hyphen.start() for hyphen in re.finditer("-", term) if term[hyphen.end() :].lstrip().startswith(names))
    return term[: next(cuts, len(term))].rstrip()


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
    names = (*groups, *PRETRAINING_GROUPS, *ordered)
    return ConfigError(f"{where}: {unknown('language or group', name, names, see)}")


def _why_undefined(name: str, groups: Groups, backbone: str) -> str:
    usable = ", ".join(group for group in SOURCE_GROUPS if group in groups)
    if "seen" not in groups and "unseen" not in groups:
        why = (
            f"which languages {backbone} saw is not known, so group '{name}' is not defined for it; say it with --seen "
            "FILE, or --seen like:NAME for a backbone that saw the same"
        )
    elif name == "unseen":
        why = (
            f"of no language of the task is it certain that {backbone} did not see it (see: xlt-bench ls groups), so "
            f"group '{name}' is not defined for it; say it with --seen FILE or --seen like:NAME"
        )
    elif name == "low-performing":
        why = f"group '{name}' was not measured for {backbone} on this task"
    else:
        why = f"group '{name}' is empty for {backbone} on this task"
    return f"{why}; name languages by code, or use {usable}"
