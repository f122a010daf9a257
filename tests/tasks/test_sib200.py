"""Task sib200: every fault of a folder, the hub by a local stand-in, the real data where it is at hand."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest

from tests.support import ROOT
from xlt_bench.errors import DataError
from xlt_bench.task import SPLITS, Language, Split
from xlt_bench.tasks import sib200, task_info
from xlt_bench.tasks.sib200 import hub
from xlt_bench.tasks.sib200.folder import FolderShape, files_of, read_folder

CODES = ("eng_Latn", "deu_Latn", "ace_Arab")
COUNTS: dict[Split, int] = {"train": 4, "dev": 2, "test": 3}
LAYOUT = FolderShape(
    sib200.LABELS, {code: Language(code, code, code[4:], "family", None) for code in CODES}, COUNTS, "eng_Latn"
)
FIRST_ID = {"train": 100, "dev": 200, "test": 300}


def rows_of(code: str, split: Split) -> list[str]:
    ids = range(FIRST_ID[split], FIRST_ID[split] + COUNTS[split])
    return [f"{i}\t{sib200.LABELS[i % 7]}\tsentence {i} of {code}" for i in ids]


def write(folder: Path, code: str, split: Split, lines: list[str]) -> None:
    (folder / code).mkdir(parents=True, exist_ok=True)
    (folder / code / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for code in CODES:
        for split in SPLITS:
            write(tmp_path, code, split, ["index_id\tcategory\ttext", *rows_of(code, split)])
    return tmp_path


def fault(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_folder(folder, LAYOUT)
    message = str(caught.value)
    assert "\n" not in message
    assert "https://huggingface.co/datasets/Davlan/sib200" in message
    return message


def test_a_good_folder(folder: Path) -> None:
    task = read_folder(folder, LAYOUT)
    assert task.labels == sib200.LABELS
    assert tuple(task.languages) == CODES
    part = task.split("deu_Latn", "dev")
    assert [(e.id, e.language, e.text, e.text_pair) for e in part.examples] == [
        ("200", "deu_Latn", "sentence 200 of deu_Latn", None),
        ("201", "deu_Latn", "sentence 201 of deu_Latn", None),
    ]
    assert part.gold.tolist() == [200 % 7, 201 % 7]


def test_the_languages_may_be_in_data(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "snapshot"
    (root / "data").mkdir(parents=True)
    for code in CODES:
        (folder / code).rename(root / "data" / code)
    assert len(read_folder(root, LAYOUT).pool(CODES, "test")) == 9


def test_its_files_are_named(folder: Path) -> None:
    assert set(files_of(folder, LAYOUT)) == {folder, *(path for path in folder.rglob("*.tsv"))}


def test_quoted_texts(folder: Path) -> None:
    quoted = '201\tentertainment\t"Er sagt: ""Ja""\u2028."'
    write(folder, "deu_Latn", "dev", ["index_id\tcategory\ttext", rows_of("deu_Latn", "dev")[0], quoted])
    assert read_folder(folder, LAYOUT).split("deu_Latn", "dev").examples[1].text == 'Er sagt: "Ja"\u2028.'


ROW_FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], int, str]] = {
    "header": (lambda r: ["id\tcategory\ttext", *r[1:]], 1, r"the columns are \['id', 'category', 'text'\], not"),
    "no header": (lambda r: r[1:], 1, "the columns are"),
    "nothing": (lambda r: [""], 1, "the columns are"),
    "unknown label": (lambda r: [*r[:2], "101\tsport\tx", *r[3:]], 3, "unknown label 'sport'; the labels are science/"),
    "duplicate": (lambda r: [*r[:3], r[1], *r[4:]], 4, "id '100' is already in line 2"),
    "too few": (lambda r: r[:-1], 4, "the file ends after 3 items, not 4"),
    "too many": (lambda r: [*r, "104\tsports\tx"], 6, "the file ends after 5 items, not 4"),
    "other id": (lambda r: [*r[:4], r[4].replace("103", "999")], 5, "id '999', but eng_Latn/train.tsv has '103'"),
    "other order": (lambda r: [r[0], r[2], r[1], *r[3:]], 2, "id '101', but eng_Latn/train.tsv has '100'"),
    "other label": (lambda r: [*r[:2], "101\thealth\tx", *r[3:]], 3, "label 'health', but eng_Latn/train.tsv has"),
    "empty text": (lambda r: [*r[:4], r[4].rpartition("\t")[0] + "\t "], 5, "the text of id '103' is empty"),
    "extra column": (lambda r: [*r[:2], r[2] + "\tx", *r[3:]], 3, "4 columns, not 3"),
    "missing column": (lambda r: [*r[:2], "101\tx", *r[3:]], 3, "2 columns, not 3"),
    "blank line": (lambda r: [*r[:2], "", *r[2:]], 3, "0 columns, not 3"),
    "open quote": (lambda r: [*r[:2], '101\tsports\t"x', *r[3:]], 3, "a quotation mark may be open"),
    "text after quote": (lambda r: [*r[:2], '101\tsports\t"x" y', *r[3:]], 3, "a quotation mark may be open"),
    "two lines": (lambda r: [*r[:2], r[2] + '\n"', *r[3:]], 4, "columns|quotation mark"),
}


@pytest.mark.parametrize("name", ROW_FAULTS)
def test_a_faulty_file_is_named_with_its_line(name: str, folder: Path) -> None:
    change, line, what = ROW_FAULTS[name]
    good = ["index_id\tcategory\ttext", *rows_of("ace_Arab", "train")]
    write(folder, "ace_Arab", "train", change(good))
    with pytest.raises(DataError, match=what):
        read_folder(folder, LAYOUT)
    assert f"{folder / 'ace_Arab' / 'train.tsv'}, line {line}: " in fault(folder)


def test_a_text_over_two_lines(folder: Path) -> None:
    rows = rows_of("ace_Arab", "dev")
    write(folder, "ace_Arab", "dev", ["index_id\tcategory\ttext", rows[0], '201\tentertainment\t"one\ntwo"'])
    assert "dev.tsv, line 3: a text goes over several lines" in fault(folder)


def test_another_encoding(folder: Path) -> None:
    path = folder / "deu_Latn" / "test.tsv"
    path.write_bytes(path.read_text(encoding="utf-8").replace("sentence 301", "Sätze 301").encode("latin-1"))
    assert f"{path}, line 3: byte " in fault(folder)
    assert "is not UTF-8" in fault(folder)


def test_a_file_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"cannot read .*eng_Latn/train\.tsv: Permission denied"):
        read_folder(folder, LAYOUT)


def test_line_ends_of_windows_change_nothing(folder: Path) -> None:
    before = read_folder(folder, LAYOUT).fingerprint
    for path in folder.glob("*/*.tsv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_folder(folder, LAYOUT).fingerprint == before


def test_an_item_in_two_splits(folder: Path) -> None:
    for code in CODES:
        lines = ["index_id\tcategory\ttext", *rows_of(code, "test")]
        write(folder, code, "test", [line.replace("301\t", "102\t") for line in lines])
    assert "eng_Latn/test.tsv, line 3: id '102' is also in train.tsv" in fault(folder)


def test_missing_files_are_listed(folder: Path) -> None:
    (folder / "deu_Latn" / "dev.tsv").unlink()
    for split in SPLITS:
        (folder / "ace_Arab" / f"{split}.tsv").unlink()
    (folder / "ace_Arab").rmdir()
    assert f"'{folder}' lacks deu_Latn/dev.tsv, ace_Arab/; it must hold <code>/{{train,dev,test}}.tsv" in fault(folder)


def test_many_missing_languages_are_counted(folder: Path) -> None:
    with pytest.raises(DataError, match=r"lacks afr_Latn/, als_Latn/, amh_Ethi/, arb_Arab/, asm_Beng/ and 197 more"):
        task_info("sib200").load(folder)


def test_no_folder_and_no_sib200(folder: Path) -> None:
    assert f"no folder '{folder / 'nowhere'}'; it must hold" in fault(folder / "nowhere")
    assert "is no folder of SIB-200; it must hold" in fault(folder / "eng_Latn")
    assert "no folder" in fault(folder / "eng_Latn" / "dev.tsv")


def test_the_hub_is_asked_once_for_the_pinned_snapshot(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub by a stand-in: a folder that this test made."""
    asked: list[tuple[str, dict[str, object]]] = []

    def snapshot(repo_id: str, **options: object) -> str:
        asked.append((repo_id, options))
        return str(folder)

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert read_folder(hub.fetch(), LAYOUT).languages == LAYOUT.languages
    revision = "38977a667f6fc264d5c26ec57a01e16db040b358"
    assert asked == [("Davlan/sib200", {"repo_type": "dataset", "revision": revision, "allow_patterns": ["*.tsv"]})]


def test_the_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("an error happened\nin two lines")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", fail)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(DataError, match=r"cannot get Davlan/sib200 .* offline, .* --data-dir FOLDER") as caught:
        task_info("sib200").load(None)
    assert "\n" not in str(caught.value)


def test_offline_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own client, told to stay offline, with an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="--data-dir FOLDER"):
        hub.fetch()


def test_groups() -> None:
    groups = task_info("sib200").groups("FacebookAI/xlm-roberta-large")
    assert {name: len(members) for name, members in groups.items()} == {
        "enarzho": 3,
        "joshi5": 7,
        "seen": 92,
        "all": 205,
        "all-wo-joshi5": 198,
        "seen-wo-joshi5": 85,
        "unseen": 113,
        "low-performing": 46,
        "full-46": 46,
        "full-23-seen": 23,
        "full-23-unseen": 23,
    }
    assert groups["enarzho"] < groups["joshi5"] < groups["seen"]
    assert groups["low-performing"] < groups["unseen"]
    assert groups["joshi5"] == {"arb_Arab", "deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "spa_Latn", "zho_Hans"}
    assert groups == task_info("sib200").groups("nano")
    unknown = task_info("sib200").groups("acme/bert")
    assert set(unknown) == {"enarzho", "joshi5", "all", "all-wo-joshi5", "full-46"}


# XLM-R large fine-tuned on the language itself: SIB-200 paper (arXiv 2309.07445 v1), Table 7, per cent.
XLMR_LARGE = """
swh_Latn 85.8 xho_Latn 70.7 khm_Khmr 89.2 vie_Latn 90.5 ind_Latn 91.0 zsm_Latn 92.7 eus_Latn 89.2 epo_Latn 89.4
hye_Armn 88.7 bos_Latn 90.8 kat_Geor 88.5 kor_Hang 88.5 khk_Cyrl 88.5 mya_Mymr 87.2 zho_Hant 91.6 lao_Laoo 87.6
tha_Thai 91.0 uig_Arab 85.8 kaz_Cyrl 91.4 fin_Latn 91.6 hun_Latn 88.3 amh_Ethi 84.2 sin_Sinh 87.6 tir_Ethi 67.7
ajp_Arab 86.3 kab_Latn 39.5 yor_Latn 49.6 sna_Latn 51.5 run_Latn 46.0 ceb_Latn 81.5 bjn_Arab 42.3 ban_Latn 83.9
ayr_Latn 52.5 ckb_Arab 50.1 mag_Deva 86.9 dyu_Latn 48.0 knc_Arab 41.8 quy_Latn 64.1 lus_Latn 70.6 mni_Beng 48.7
yue_Hant 88.9 shn_Mymr 51.8 grn_Latn 76.3 bak_Cyrl 75.4 crh_Latn 86.6 tat_Cyrl 81.9
"""


def test_the_46_targets_of_full_supervision_give_the_figures_of_the_paper() -> None:
    groups = task_info("sib200").groups("FacebookAI/xlm-roberta-large")
    words = XLMR_LARGE.split()
    accuracy = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    assert groups["full-46"] == set(accuracy)
    means = {n: round(sum(accuracy[c] for c in groups[n]) / len(groups[n]), 1) for n in groups if n.startswith("full")}
    assert means == {"full-46": 76.1, "full-23-seen": 88.3, "full-23-unseen": 64.0}
    low = groups["low-performing"] & groups["full-23-unseen"]
    assert low == {code for code, value in accuracy.items() if value < 60}
    assert len(low) == 11


@pytest.fixture(scope="module")
def real() -> Path:
    beside = ROOT.parent / "shared" / "data" / "sib200"
    root = Path(os.environ.get("XLT_SIB200_DIR", beside))
    if not root.is_dir():
        pytest.skip("SIB-200 is not at hand: set XLT_SIB200_DIR")
    return root


def test_the_real_data(real: Path) -> None:
    task = task_info("sib200").load(real)
    assert len(task.languages) == 205
    for code in task.languages:
        assert {split: len(task.split(code, split)) for split in SPLITS} == {"train": 701, "dev": 99, "test": 204}
    with (real / "ace_Arab" / "train.tsv").open(encoding="utf-8", newline="") as stream:
        expected = [(row["index_id"], row["category"], row["text"]) for row in csv.DictReader(stream, delimiter="\t")]
    part = task.split("ace_Arab", "train")
    gold = [task.labels[i] for i in part.gold]
    assert [(e.id, label, e.text) for e, label in zip(part.examples, gold, strict=True)] == expected
