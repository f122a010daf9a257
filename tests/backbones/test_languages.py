"""Which languages a backbone saw: the shipped lists, a user's file, and what is said of what is not known."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from xlt_bench.backbones.languages import is_backbone, pretraining_from, pretraining_lists, pretraining_of
from xlt_bench.cli import listing
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.languages.expressions import parse_languages
from xlt_bench.languages.known_groups import known_groups
from xlt_bench.languages.table import known_languages
from xlt_bench.tasks import task_info
from xlt_bench.tasks.tables import flagged, read_table

SIB200 = task_info("sib200")
COUNTS = {  # as the sources state them: list -> entries there
    "xlm-roberta": 100,
    "mdeberta-v3": 100,
    "mbert-cased": 104,
    "mbert-uncased": 102,
    "mt5": 101,
    "labse": 109,
}


def entries_of(name: str) -> set[str]:
    """What stands for a language in the source of a list."""
    path = Path(__file__).parents[2] / "xlt_bench" / "backbones" / "languages" / f"{name}.csv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    fields = (line.split(",", 2)[2] for line in lines[1:])
    return {entry for field in fields for entry in (field.split() if name in ("xlm-roberta", "labse") else [field])}


@pytest.mark.parametrize("name", COUNTS)
def test_a_list_has_as_many_entries_as_its_source(name: str) -> None:
    if name in ("mdeberta-v3",):
        assert pretraining_lists()[name].seen == pretraining_lists()["xlm-roberta"].seen
        return
    assert len(entries_of(name)) == COUNTS[name]


def test_every_list_names_its_source_and_its_backbones_once() -> None:
    backbones = [name for entry in pretraining_lists().values() for name in entry.backbones]
    assert len(backbones) == len(set(backbones)) > 20
    for entry in pretraining_lists().values():
        assert entry.backbones
        assert len(entry.source) > 20
        assert not entry.seen & entry.unsettled


def test_languages_that_are_known_for_certain() -> None:
    """A sample that anyone can look up in the sources."""
    lists = pretraining_lists()
    assert {"tgl_Latn", "sun_Latn", "gaz_Latn"} < lists["xlm-roberta"].seen
    assert not {"azb_Arab", "yor_Latn", "zul_Latn", "mri_Latn"} & lists["xlm-roberta"].seen
    assert {"yor_Latn", "min_Latn", "azb_Arab"} < lists["mbert-cased"].seen
    assert not {"amh_Ethi", "khm_Khmr", "sin_Sinh"} & lists["mbert-cased"].seen
    assert lists["mbert-cased"].seen - lists["mbert-uncased"].seen == {"tha_Thai", "khk_Cyrl"}
    assert {"zul_Latn", "mri_Latn", "ceb_Latn"} < lists["mt5"].seen
    assert {"bod_Tibt", "wol_Latn", "kin_Latn"} < lists["labse"].seen
    assert {"run_Latn", "pcm_Latn", "zul_Latn"} < lists["afro-xlmr"].seen
    assert "ewe_Latn" in lists["afro-xlmr"].unseen(known_languages(), known_languages())


def test_nano_saw_what_its_two_sources_flag() -> None:
    flags = [flagged(read_table(f"xlt_bench.tasks.{task}", "languages.csv"), "seen") for task in ("sib200", "cldr")]
    assert pretraining_lists()["nano"].seen == flags[0] | flags[1]
    assert flags[1] == pretraining_lists()["xlm-roberta"].seen & task_info("cldr").languages().keys()


def test_a_backbone_by_its_names(tmp_path: Path) -> None:
    local = tmp_path / "xlm-roberta-large"
    local.mkdir()
    names = {
        "nano": "nano",
        "FacebookAI/xlm-roberta-base": "xlm-roberta",
        "xlm-roberta-base": "xlm-roberta",
        f"{local}/": "xlm-roberta",
        "google/mt5-base": "mt5",
        "intfloat/multilingual-e5-small": "multilingual-e5",
        "acme/xlm-roberta-large": None,
        str(tmp_path): None,
        "x" * 300: None,
    }
    for backbone, expected in names.items():
        entry = pretraining_of(backbone)
        assert (entry and entry.name) == expected
    assert is_backbone("xlm-roberta-large", "FacebookAI/xlm-roberta-large")
    assert not is_backbone("FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-base")


def test_a_complete_list_says_what_was_not_seen_of_languages_in_the_table_only() -> None:
    complete, incomplete = pretraining_lists()["mt5"], pretraining_lists()["multilingual-e5"]
    assert complete.unseen(["ace_Latn", "deu_Latn", "xyz_Latn"], known_languages()) == {"ace_Latn"}
    assert incomplete.unseen(["ace_Latn", "deu_Latn"], known_languages()) == frozenset()


def test_scripts_that_a_source_does_not_tell_apart_are_unsettled() -> None:
    groups = SIB200.groups("jhu-clsp/mmBERT-base")
    assert "ace_Latn" not in groups["seen"] | groups["unseen"]
    known = known_groups(SIB200, "jhu-clsp/mmBERT-base")
    assert any("ace_Arab" in note and "neither seen nor unseen" in note for note in known.notes)


def test_an_incomplete_list_defines_no_unseen() -> None:
    groups = SIB200.groups("intfloat/multilingual-e5-base")
    assert "deu_Latn" in groups["seen"]
    with pytest.raises(BackboneError, match="of no language of the task is it certain that e5 did not see it"):
        parse_languages("unseen", groups, SIB200.languages(), option="--targets", backbone="e5")


def test_seen_like_another_backbone() -> None:
    known = known_groups(SIB200, "acme/bert", seen="like:FacebookAI/xlm-roberta-base")
    assert known.groups == SIB200.groups("FacebookAI/xlm-roberta-base")
    assert known.notes == (
        "seen and unseen are those of FacebookAI/xlm-roberta-base, as --seen says, not of acme/bert itself",
        "low-performing is as measured with FacebookAI/xlm-roberta-large, not with acme/bert",
    )


def test_a_borrowed_group_says_whose_it_is() -> None:
    assert known_groups(SIB200, "nano").notes == (
        "low-performing is as measured with FacebookAI/xlm-roberta-large, not with nano",
    )
    assert known_groups(SIB200, "xlm-roberta-large").notes == ()
    assert known_groups(task_info("cldr"), "nano").notes == ()
    assert "low-performing" not in known_groups(task_info("cldr"), "xlm-roberta-large").groups


@pytest.mark.parametrize(
    "text",
    ["eng_Latn\n# a comment\n\ndeu_Latn # German\n", "code,seen\neng_Latn,yes\ndeu_Latn,yes\nfra_Latn,no\n"],
)
def test_seen_by_a_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text(text, encoding="utf-8")
    known = known_groups(SIB200, "acme/bert", seen=str(path))
    assert known.groups["seen"] == {"eng_Latn", "deu_Latn"}
    assert len(known.groups["unseen"]) == 203
    assert known.groups["full-46"] == SIB200.groups("nano")["full-46"]
    assert "low-performing" not in known.groups
    assert known.notes == (f"seen and unseen are as {path} says",)


def test_a_file_that_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("# complete: no\ncode,seen\neng_Latn,yes\n", encoding="utf-8")
    known = known_groups(SIB200, "acme/bert", seen=str(path))
    assert "unseen" not in known.groups
    assert pretraining_from(path).complete is False


FAULTS = {
    "no code": ("eng_Latn\n???\n", r"seen.txt, line 2: '\?\?\?' is no code of a language; a list has one code a line"),
    "no state": ("code,seen\neng_Latn,perhaps\n", "line 2: 'eng_Latn,perhaps' is no code"),
    "nothing": ("# only a comment\n", "no language is listed"),
    "other codes": ("en\nde\n", "names none of the 205 languages of task sib200, such as afr_Latn"),
    "long": ("x y" * 10_000, r"line 1: 'x yx yx.*' is no code"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file(fault: str, tmp_path: Path) -> None:
    text, message = FAULTS[fault]
    path = tmp_path / "seen.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        known_groups(SIB200, "acme/bert", seen=str(path))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("seen", ["nowhere.txt", "x" * 300, "a\0b", "."])
def test_a_file_that_cannot_be_read(seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="--seen: cannot read"):
        known_groups(SIB200, "acme/bert", seen=seen)


def test_like_a_backbone_of_which_nothing_is_known() -> None:
    with pytest.raises(ConfigError, match="--seen: no list of languages of 'xlm-robert'; did you mean 'xlm-roberta-"):
        known_groups(SIB200, "acme/bert", seen="like:xlm-robert")
    with pytest.raises(ConfigError, match="--seen: no list of languages of 'acme/bert'; see: ") as error:
        known_groups(SIB200, "acme/bert", seen="like:acme/bert")
    assert len(str(error.value)) < 500, "one name a list, not every name of every size"


def test_ls_groups_says_all_this() -> None:
    output = io.StringIO()
    Console(file=output, width=400).print(listing.groups("sib200", "acme/bert", seen="like:google/mt5-base"))
    assert "seen and unseen are those of google/mt5-base" in output.getvalue()
    output = io.StringIO()
    Console(file=output, width=400).print(listing.groups("sib200", "google/mt5-base"))
    assert "which languages google/mt5-base saw: google-research/multilingual-t5, README.md" in output.getvalue()
