"""What a code of another standard is taken for when a user is told which of the task's codes was meant."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xlt_bench.languages.hints import likely_code
from xlt_bench.languages.table import known_languages


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zh-TW", "zho_Hant"),
        ("zh-HK", "zho_Hant"),
        ("zh-CN", "zho_Hans"),
        ("zh", "zho_Hans"),
        ("zh_Hant", "zho_Hant"),
        ("cmn", "zho_Hans"),
        ("iw_Hebr", "heb_Hebr"),
        ("iw", "heb_Hebr"),
        ("in", "ind_Latn"),
        ("fil_Latn", "tgl_Latn"),
        ("tl", "tgl_Latn"),
        ("de", "deu_Latn"),
        ("de-AT", "deu_Latn"),
        ("deu_latn", "deu_Latn"),
        ("ara", "arb_Arab"),
        ("ar_Latn", "arb_Latn"),
        ("pt-BR", "por_Latn"),
        ("sw", "swh_Latn"),
        ("om", "gaz_Latn"),
        ("en", "eng_Latn"),
        ("sr", "srp_Cyrl"),
        ("sh", "srp_Cyrl"),
        ("fa", "pes_Arab"),
        ("prs", "prs_Arab"),  # its own code, though CLDR's alias of it is fa-AF
        ("fas", "pes_Arab"),
        ("tw", "twi_Latn"),
        ("ff", "fuv_Latn"),
        ("no", "nob_Latn"),
        ("nn", "nno_Latn"),
        ("ku", "kmr_Latn"),
        ("ckb", "ckb_Arab"),
        ("az", "azj_Latn"),
        ("yue", "yue_Hant"),
        ("mo", "ron_Latn"),
        ("xx", None),
    ],
)
def test_a_code_of_another_standard(name: str, expected: str | None) -> None:
    assert likely_code(name, known_languages()) == expected


def test_codes_that_are_in_no_table() -> None:
    assert likely_code("en", ["en-GB", "de"]) == "en-GB"
    assert likely_code("eng_Latn", ["en-GB", "de"]) == "en-GB"
    assert likely_code("sr-Latn", ["sr-Cyrl", "de"]) == "sr-Cyrl"
    assert likely_code("xx", ["en-GB", "de"]) is None


def test_without_babel_equal_subtags_are_still_near() -> None:
    code = """
import sys
sys.modules["babel"] = sys.modules["babel.core"] = None
from xlt_bench.languages.hints import likely_code
from xlt_bench.languages.table import known_languages
assert likely_code("de-AT", known_languages()) == "deu_Latn"
assert likely_code("iw", known_languages()) is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)
