"""Runs of methods that declare resources: what they get, what identifies them, what an undeclared use costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.commands import Command
from tests.support.toy import LABEL_WORDS
from xlt_bench.conformance.toy import cell
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

METHODS = ROOT / "tests" / "support" / "resource_methods.py"


def records() -> list[Record]:
    return list(Store(Path("xlt-results")).records()[0])


def write_folder(folder: Path, text: str = "the dog") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for code in ("kat_Geor", "tha_Thai", "swh_Latn"):
        (folder / f"{code}.txt").write_text(f"{text}\n", encoding="utf-8")
    return folder


def write_words(path: Path) -> Path:
    path.write_text(LABEL_WORDS, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["TargetWords", "FolderWords", "NamedWords"])
def test_a_method_gets_what_it_declares(name: str, run: Command, tmp_path: Path) -> None:
    given = {
        "TargetWords": [],
        "FolderWords": ["--resource", f"unlabelled-folder={write_folder(tmp_path / 'texts')}"],
        "NamedWords": ["--resource", f"label-words={write_words(tmp_path / 'words.toml')}"],
    }
    resource = {"TargetWords": "unlabelled-target", "FolderWords": "unlabelled-folder", "NamedWords": "label-words"}
    said = run("-m", f"{METHODS}:{name}", "--seeds", "1", *given[name])
    assert said.code == 0, said.err
    (record,) = records()
    assert list(record.cell.resources) == [resource[name]]
    assert len(record.cell.resources[resource[name]]) == 16
    assert len(record.caveats) == 1
    assert Cell.from_json(record.cell.as_json()) == record.cell
    assert record.accuracy["swh_Latn"] == 1.0, "one word of a text tells the class"


def test_identity_has_the_content_and_not_the_path(run: Command, tmp_path: Path) -> None:
    for folder, text in (("first", "the dog"), ("copy", "the dog"), ("other", "a cat")):
        path = write_folder(tmp_path / folder, text)
        assert run("-m", f"{METHODS}:FolderWords", "--seeds", "1", "--resource", f"unlabelled-folder={path}").code == 0
    assert len(records()) == 2
    assert len({record.cell.configuration for record in records()}) == 2


def test_a_method_without_needs_has_the_identity_that_it_had_before() -> None:
    plain = cell("spt", {"n_tokens": 20})
    assert (plain.fingerprint, plain.configuration) == ("c0940a0af670a88b", "61b664b3553ccf10")
    declared, other = (replace(plain, resources={"label-words": digit * 16}) for digit in "01")
    assert len({plain.fingerprint, declared.fingerprint, other.fingerprint}) == 3
    assert declared.source_fit != plain.source_fit


def test_an_undeclared_use_fails_in_one_line(run: Command) -> None:
    assert run("-m", f"{METHODS}:Undeclared", "--seeds", "1").code == 1
    (record,) = records()
    assert (record.error or "").startswith("this method uses the resource 'unlabelled-target' without declaring it; ")


def test_needs_may_depend_on_hyper_parameters(run: Command) -> None:
    refused = run("-m", f"{METHODS}:NamedWords", "--seeds", "1")
    assert refused.code == 2
    assert "the method needs label-words" in refused.err
    assert "give it: --resource label-words=FILE" in refused.err
    assert run("-m", f"{METHODS}:NamedWords", "--seeds", "1", "--set", "strength=0").code == 0
    assert records()[0].cell.resources == {}


def test_what_a_method_does_not_need_is_refused_before_anything_runs(run: Command, tmp_path: Path) -> None:
    refused = run("-m", "majority", "--resource", f"label-words={tmp_path}")
    assert refused.code == 2
    assert "--resource label-words: the method takes no such file or folder" in refused.err
    assert not Path("xlt-results").exists()


PLUGIN = """
from dataclasses import dataclass
from tests.support.resource_methods import CountedWords

@dataclass(frozen=True)
class Ids(CountedWords):
    NEEDS
    def fit(self, train, dev, context):
        ids = {example.language: [] for example in train.examples}
        for example in train.examples:
            ids[example.language].append(example.id)
        first, *others = map(set, ids.values())
        open("shared.txt", "w").write(str(len(first.intersection(*others))))
        return super().fit(train, dev, context)
"""


@pytest.mark.parametrize(
    ("needs", "shared_ids"), [("pass", "0"), ("needs = frozenset({'source-parallel'})", "18")], ids=["not", "declared"]
)
def test_ids_tell_parallel_source_items_to_those_only_who_declare_it(
    needs: str, shared_ids: str, run: Command, tmp_path: Path
) -> None:
    path = tmp_path / "ids.py"
    path.write_text(PLUGIN.replace("NEEDS", needs), encoding="utf-8")
    assert run("-m", f"{path}:Ids", "--seeds", "1").code == 0
    assert Path("shared.txt").read_text() == shared_ids
