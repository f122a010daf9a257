"""Groups that a user adds with `--groups`, and the table of languages that no task owns."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from xlt_bench.cli import listing
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.languages.expressions import parse_languages
from xlt_bench.languages.group_files import with_groups
from xlt_bench.languages.table import known_languages, language_of, script_of
from xlt_bench.task import Language
from xlt_bench.tasks import task_info
from xlt_bench.tasks.tables import read_table

INFO = task_info("cldr")


def added(tmp_path: Path, toml: str, backbone: str = "nano") -> dict[str, frozenset[str]]:
    path = tmp_path / "my.toml"
    path.write_text(toml, encoding="utf-8")
    known = INFO.groups(backbone)
    found = with_groups(path, known, INFO.languages(), task="cldr", backbone=backbone)
    assert {name: found[name] for name in known} == known
    return {name: members for name, members in found.items() if name not in known}


def test_groups_of_a_file(tmp_path: Path) -> None:
    toml = '[groups]\nslavic = ["pol_Latn", "rus_Cyrl"]\nnorth-germanic = ["dan_Latn"]\n'
    assert added(tmp_path, toml) == {"slavic": {"pol_Latn", "rus_Cyrl"}, "north-germanic": {"dan_Latn"}}


def test_what_a_backbone_saw_defines_what_it_did_not(tmp_path: Path) -> None:
    toml = '[backbones."acme/bert"]\nseen = ["eng_Latn", "pol_Latn"]\nlow-performing = ["zul_Latn"]\n'
    found = added(tmp_path, toml, "acme/bert")
    assert found["seen"] == {"eng_Latn", "pol_Latn"}
    assert found["seen-wo-joshi5"] == {"pol_Latn"}
    assert len(found["unseen"]) == 122
    assert found["low-performing"] == {"zul_Latn"}
    assert added(tmp_path, toml, "other/bert") == {}


def test_a_group_of_a_file_in_an_expression(tmp_path: Path) -> None:
    groups = {**INFO.groups("nano"), **added(tmp_path, '[groups]\nmy-slavic = ["pol_Latn", "rus_Cyrl"]\n')}
    codes = parse_languages("my-slavic-joshi5-rus_Cyrl", groups, INFO.languages(), option="--targets")
    assert codes == ("pol_Latn",)


FAULTS = {
    "key": ('slavic = ["pol_Latn"]', r"my.toml: no key 'slavic'; see: groups, backbones"),
    "code": ('[groups]\nx = ["pl"]', r"my.toml, \[groups\]: x: no language 'pl'; did you mean 'pol_Latn'\?"),
    "far code": ('[groups]\nx = ["qqq_Qqqq"]', r"x: no language 'qqq_Qqqq'.*see: the task's 124 languages"),
    "known": ('[groups]\nfull-16 = ["pol_Latn"]', r"group 'full-16' is already known for task cldr and backbone nano"),
    "standard": ('[groups]\nunseen = ["pol_Latn"]', r"'unseen' has a meaning of its own"),
    "seen": ('[backbones.nano]\nseen = ["pol_Latn"]', r"group 'seen' is already known for task cldr and backbone nano"),
    "a list": ('groups = ["pol_Latn"]', r"groups must be a table, \[groups\], not \['pol_Latn'\]"),
    "no TOML": ("[groups\n", r"my.toml is no TOML"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_faulty_file(what: str, tmp_path: Path) -> None:
    toml, message = FAULTS[what]
    with pytest.raises(ConfigError, match=message) as caught:
        added(tmp_path, toml)
    assert str(tmp_path / "my.toml") in str(caught.value)


def test_listing_groups(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[groups]\nslavic = ["pol_Latn"]\n', encoding="utf-8")
    shown = io.StringIO()
    Console(file=shown, width=100).print(listing.groups("cldr", None, tmp_path / "my.toml"))
    assert "│ slavic " in shown.getvalue()
    with pytest.raises(BackboneError, match="no backbone 'nosuch'"):
        listing.groups("cldr", "nosuch")
    with pytest.raises(ConfigError, match="cannot read"):
        listing.groups("cldr", None, tmp_path / "none.toml")


@pytest.mark.parametrize("task", ["cldr", "sib200"])
def test_the_table_of_languages_is_that_of_the_tasks(task: str) -> None:
    known = known_languages()
    for row in read_table(f"xlt_bench.tasks.{task}", "languages.csv"):
        own = known[row["code"]]
        assert own.language == task_info(task).languages()[row["code"]]
        assert set(own.aliases) >= {row.get("locale", ""), row.get("macrolanguage", "")} - {""}


def test_languages_in_the_table_and_outside_it() -> None:
    assert len(known_languages()) == 238
    assert language_of("deu_Latn") == Language("deu_Latn", "German", "Latn", "Indo-European", 5)
    assert language_of("xx-Cyrl-RU") == Language("xx-Cyrl-RU", "xx-Cyrl-RU", "Cyrl", "", None)
    assert [script_of(code) for code in ("en", "zh_Hant", "pt-BR", "en_latn")] == ["", "Hant", "", ""]
