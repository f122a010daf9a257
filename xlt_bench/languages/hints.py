"""Which of a task's codes a code of another standard stands for: `de`, `zh-TW`, `iw_Hebr`, `ara`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple

from xlt_bench.languages.table import known_languages, script_of


class _Parts(NamedTuple):
    """The language as it is written, subtags that mean the same, and the script, empty where nothing says it."""

    language: str
    names: frozenset[str]
    script: str


def likely_code(name: str, codes: Iterable[str]) -> str | None:
    """The one of these codes that a code of another standard most likely stands for, None where none is near.

    A bare ISO 639 code, a macrolanguage, a locale or an outdated code is read as CLDR reads it: `iw` is Hebrew, `zh-TW`
    is written in traditional characters. Among the codes of the language, those of the right script go first, and among
    these the one that has the very name: `prs` is Dari, though for CLDR it is Persian as spoken in Afghanistan.
    """
    parts = _parts(name)
    same_language = [code for code in codes if parts.names & _names_of(code)]
    return max(
        same_language,
        key=lambda code: (script_of(code) == parts.script, parts.language in _names_of(code)),
        default=None,
    )


def _names_of(code: str) -> frozenset[str]:
    """The subtags under which a task's language may be meant."""
    entry = known_languages().get(code)
    aliases = entry.aliases if entry else ()
    return frozenset(name for subtag in (code, *aliases) for name in _parts(subtag).names)


@cache
def _parts(name: str) -> _Parts:
    subtags = re.split("[-_]", name)
    language = subtags[0].lower()
    script = next((subtag.title() for subtag in subtags[1:] if re.fullmatch("[A-Za-z]{4}", subtag)), "")
    territory = next((subtag.upper() for subtag in subtags[1:] if re.fullmatch("[A-Za-z]{2}|[0-9]{3}", subtag)), "")
    modern = _cldr("language_aliases").get(language, language).split("_")[0]
    if not script:
        likely = _cldr("likely_subtags")
        full = likely.get(f"{modern}_{territory}") or likely.get(modern) or ""
        script = script_of(full)
    return _Parts(language, frozenset({language, modern}), script)


@cache
def _cldr(table: Literal["language_aliases", "likely_subtags"]) -> Mapping[str, str]:
    """A table of CLDR as `babel` ships it; empty without babel, and then only equal subtags are near."""
    try:
        from babel.core import get_global
    except ImportError:
        return {}
    return {key: value for key, value in get_global(table).items() if isinstance(value, str)}
