"""The tasks whose data the package does not ship, on stand-ins in the layout that their sources document.

Real files of AmericasNLI and SIB-200 were read as well (the README says which); the hub was out of reach.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from xlt_bench.errors import DataError
from xlt_bench.io import hub
from xlt_bench.languages.table import known_languages
from xlt_bench.task import SPLITS, Task
from xlt_bench.tasks import task_info
from xlt_bench.tasks.files.description import TaskDescription, read_description

NAMES = ("nusax", "afrixnli", "americas-nli", "massive", "masakhanews")
HUB_SPLITS = ("train", "validation", "test")
PUBLISHED = {  # task -> languages, classes, sources of data
    "nusax": (12, 3, {"mteb/NusaX-senti": "7b2ff4facde8a6473f667a38edef1d03ce9ca0dc"}),
    "afrixnli": (
        18,
        3,
        {
            "masakhane/afrixnli": "e3ca06b30f3e7af2a86f6c8609ea76fee326bc56",
            "facebook/xnli": "b8dd5d7af51114dbda02c0e3f6133f332186418e",
        },
    ),
    "americas-nli": (11, 3, {"facebook/xnli": "b8dd5d7af51114dbda02c0e3f6133f332186418e"}),
    "massive": (51, 60, {"mteb/amazon_massive_intent": "4672e20407010da34463acc759c162ca9734bca6"}),
    "masakhanews": (16, 7, {"mteb/masakhanews": "18193f187b92da67168c655c9973a165ed9593dd"}),
}


def description(name: str) -> TaskDescription:
    package = f"xlt_bench.tasks.{name.replace('-', '_')}"
    return read_description(Path(str(files(package))) / "task.toml")


def write_configurations(folder: Path, rows: Mapping[tuple[str, str], Mapping[str, Sequence[object]]]) -> None:
    """A data set in the hub's layout: Parquet by configuration and split, and a README.md that says so."""
    lines = ["---", "configs:"]
    for config in dict.fromkeys(config for config, _ in rows):
        lines += [f"- config_name: {config}", "  data_files:"]
        for split in [split for name, split in rows if name == config]:
            lines += [f"  - split: {split}", f"    path: {config}/{split}-*"]
            path = folder / config / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(arrow.table(dict(rows[config, split])), path)
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")


def codes_of(name: str) -> dict[str, str]:
    return dict(description(name).layout.folders)


def pairs(config: str, split: str, number: int) -> dict[str, Sequence[object]]:
    """Three hypotheses a premise, one of each class, as NLI data have them."""
    return {
        "premise": [f"{config} {split} premise {item // 3}" for item in range(number)],
        "hypothesis": [f"{config} {split} hypothesis {item}" for item in range(number)],
        "label": [item % 3 for item in range(number)],
    }


def nusax(folder: Path) -> None:
    write_configurations(
        folder,
        {
            (config, split): {"text": [f"{config} {split} {item}" for item in range(6)], "label": [0, 1, 2, 0, 1, 2]}
            for config in codes_of("nusax").values()
            for split in HUB_SPLITS
        },
    )


def xnli(folder: Path) -> None:
    write_configurations(folder, {("en", split): pairs("en", split, 9) for split in HUB_SPLITS})


def afrixnli(folder: Path) -> None:
    configs = codes_of("afrixnli").values()
    write_configurations(
        folder, {(config, split): pairs(config, split, 6) for config in configs for split in HUB_SPLITS[1:]}
    )
    xnli(folder / "xnli")


def americas_nli(folder: Path) -> None:
    labels = ("entailment", "neutral", "contradiction")
    for code, language in codes_of("americas-nli").items():
        for split, first in (("dev", 12451), ("test", 25051)) if code != "eng_Latn" else ():
            lines = ["id\tlanguage\tpremise\thypothesis\tlabel"]
            for item in range(6):
                premise = "" if (language, split, item) == ("nah", "test", 5) else f"{language} {item // 3}"
                lines.append(f'{first + item}\t{language}\t{premise}\t"{language} {item}\t{labels[item % 3]}')
            path = folder / split / f"{language}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    xnli(folder / "xnli")


def massive(folder: Path) -> None:
    labels = description("massive").layout.labels
    for language in codes_of("massive").values():
        for split in HUB_SPLITS:
            path = folder / split / f"{language}.json.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.open(path, "wt", encoding="utf-8") as file:
                for item, label in enumerate(labels):
                    row = {"id": f"{split}{item}", "label": label, "label_text": label, "text": f"{language} {item}"}
                    file.write(json.dumps(row) + "\n")


def masakhanews(folder: Path) -> None:
    labels = description("masakhanews").layout.labels
    write_configurations(
        folder,
        {
            (config, split): {
                "category": list(labels),
                "headline": [f"{config} {item}" for item in range(7)],
                "text": [f"{config} {split} article {item}" for item in range(7)],
                "url": [""] * 7,
            }
            for config in codes_of("masakhanews").values()
            for split in HUB_SPLITS
        },
    )


STAND_INS: dict[str, Callable[[Path], None]] = {
    "nusax": nusax,
    "afrixnli": afrixnli,
    "americas-nli": americas_nli,
    "massive": massive,
    "masakhanews": masakhanews,
}


@pytest.fixture(params=NAMES)
def stand_in(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    name: str = request.param
    STAND_INS[name](tmp_path)
    return name, tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_description_says_what_it_is_of(name: str) -> None:
    info, layout = task_info(name), description(name).layout
    languages, classes, revisions = PUBLISHED[name]
    assert (len(info.languages()), len(layout.labels)) == (languages, classes)
    assert {source.hub.path: source.hub.revision for source in layout.sources if source.hub} == revisions
    assert info.licence
    assert info.citation
    assert info.languages().keys() <= known_languages().keys()  # so that seen and unseen are known
    groups = info.groups(info.backbone)
    assert groups["seen"] | groups.get("unseen", frozenset()) == groups["all"]  # XLM-R saw all 51 of massive
    assert info.primary is None or info.primary in groups


def test_a_stand_in_in_the_documented_layout(stand_in: tuple[str, Path]) -> None:
    name, folder = stand_in
    check(name, task_info(name).load(folder))


def test_the_same_from_the_hub(stand_in: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of the hub: a pinned commit, and no file that could be code."""
    name, folder = stand_in
    revisions = PUBLISHED[name][2]

    def snapshot(path: str, patterns: Sequence[str], revision: str | None, kind: str) -> Path:
        assert (revision, kind) == (revisions[path], "dataset")
        assert not [pattern for pattern in patterns if pattern.endswith((".py", "*")) and pattern != "en/*"]
        return folder / "xnli" if path == "facebook/xnli" else folder

    monkeypatch.setattr(hub, "snapshot", snapshot)
    if name != "americas-nli":  # its main source is no data set of the hub
        check(name, task_info(name).load(None))


def check(name: str, task: Task) -> None:
    counts = {split: [len(task.split(code, split)) for code in task.languages] for split in SPLITS}
    ids = {code: [example.id for example in task.split(code, "test").examples] for code in task.languages}
    first, second, *_ = task.languages
    if name in ("nusax", "masakhanews", "massive"):
        assert {len(set(numbers)) for numbers in counts.values()} == {1}
        assert not task.clusters
        assert (ids[first] == ids[second]) == (name != "masakhanews")
    if name == "afrixnli":
        assert counts["train"] == [9, *[0] * 17]
        assert ids["eng_Latn"] == ids["zul_Latn"] == [f"test-{number}" for number in range(1, 7)]
        assert len(set(task.clusters.values())) == 2  # three hypotheses share a premise
    if name == "americas-nli":
        assert counts["train"] == [9, *[0] * 10]
        assert counts["dev"] == [9, *[6] * 10]
        assert ids["aym_Latn"] == [str(25051 + item) for item in range(6)]
        assert len(ids["nah_Latn"]) == 5  # the pair without a premise is left out
        assert ids["eng_Latn"][0] == "eng_Latn:test-1"
        assert task.split("aym_Latn", "test").examples[0].text_pair == '"aym 0'
    assert task.split(first, "dev").gold.tolist()[:3] == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_out_of_reach(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def snapshot(*_: object) -> Path:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "snapshot", snapshot)
    with pytest.raises(DataError, match="--data-dir FOLDER") as caught:
        task_info(name).load(None)
    assert "\n" not in str(caught.value)


def test_where_the_data_of_americas_nli_can_be_had(tmp_path: Path) -> None:
    xnli(tmp_path / "xnli")
    with pytest.raises(DataError, match=r"lacks dev/aym.tsv"):
        task_info("americas-nli").load(tmp_path)
