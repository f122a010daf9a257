"""What is known of languages by their code, whatever the task: name, family, class, pre-training, other names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from xlt_bench.task import Language


class Known(NamedTuple):
    """A language of the shipped table.

    Attributes:
        seen_by_xlmr: whether it was in the pre-training of XLM-R (Conneau et al. 2020), as published.
        aliases: its CLDR locale and its macrolanguage in ISO 639-3, where they are other than its code.
    """

    language: Language
    seen_by_xlmr: bool
    aliases: tuple[str, ...]


@cache
def known_languages() -> Mapping[str, Known]:
    """Code (`deu_Latn`: ISO 639-3 and ISO 15924, as FLORES-200 writes them) -> what is known; seen ones first."""
    text = files("xlt_bench.languages").joinpath("languages.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({row["code"]: _known(row) for row in csv.DictReader(lines)})


def language_of(code: str) -> Language:
    """What is known of a code: of one that is not in the table its script, if it names one, and nothing else."""
    known = known_languages().get(code)
    return known.language if known else Language(code, code, script_of(code), "", None)


def script_of(code: str) -> str:
    """The script that a code names (`srp_Cyrl`, `sr-Cyrl`), else an empty text."""
    found = re.search(r"[-_]([A-Z][a-z]{3})(?:[-_]|$)", code)
    return found[1] if found else ""


def likely_code(name: str, codes: Iterable[str]) -> str | None:
    """The one of these codes that a bare ISO 639 code, macrolanguage or locale (`deu`, `ara`, `de-AT`) stands for."""
    wanted = re.split("[-_]", name, maxsplit=1)[0].casefold()
    ordered = tuple(codes)
    aliased = (code for code, known in known_languages().items() if wanted in known.aliases)
    same = (code for code in ordered if re.split("[-_]", code, maxsplit=1)[0] == wanted)
    return next((code for code in (*aliased, *same) if code in ordered), None)


def _known(row: Mapping[str, str]) -> Known:
    joshi = int(row["joshi"]) if row["joshi"] else None
    language = Language(row["code"], row["name"], script_of(row["code"]), row["family"], joshi)
    return Known(language, row["seen"] == "1", tuple(row["aliases"].split()))
