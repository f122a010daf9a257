"""What is known of languages by their code, whatever the task: name, family, class, other names."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from xlt_bench.task import Language


class KnownLanguage(NamedTuple):
    """A language of the shipped table.

    Attributes:
        aliases: its CLDR locale and its macrolanguage in ISO 639-3, where they are other than its code.
    """

    language: Language
    aliases: tuple[str, ...]


@cache
def known_languages() -> Mapping[str, KnownLanguage]:
    """Code (`deu_Latn`: ISO 639-3 and ISO 15924, as FLORES-200 writes them) -> what is known."""
    text = files("xlt_bench.languages").joinpath("languages.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({row["code"]: _known_language(row) for row in csv.DictReader(lines)})


def language_of(code: str) -> Language:
    """What is known of a code: of one that is not in the table its script, if it names one, and nothing else."""
    entry = known_languages().get(code)
    return entry.language if entry else Language(code, code, script_of(code), "", None)


def script_of(code: str) -> str:
    """The script that a code names (`srp_Cyrl`, `sr-Cyrl`), else an empty text."""
    match = re.search(r"[-_]([A-Z][a-z]{3})(?:[-_]|$)", code)
    return match[1] if match else ""


def _known_language(row: Mapping[str, str]) -> KnownLanguage:
    joshi = int(row["joshi"]) if row["joshi"] else None
    language = Language(row["code"], row["name"], script_of(row["code"]), row["family"], joshi)
    return KnownLanguage(language, tuple(row["aliases"].split()))
