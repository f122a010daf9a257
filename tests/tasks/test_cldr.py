"""Task cldr: the frozen list, the rules that made it, and what happens with another babel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest
from babel import localedata

from scripts.build_cldr import items_table, select, table_faults
from xlt_bench.errors import ConfigError, DataError
from xlt_bench.task import SPLITS, Task
from xlt_bench.tasks import task_info
from xlt_bench.tasks.cldr import BABEL_VERSION, load, verify
from xlt_bench.tasks.cldr.items import ListedItem, hash_of, listed_items, texts_of
from xlt_bench.tasks.cldr.names import Item, folded, names_of, without_train_texts
from xlt_bench.tasks.cldr.split import split_of
from xlt_bench.tasks.tables import read_table

ROWS = read_table("xlt_bench.tasks.cldr", "languages.csv")
LOCALES = {row["code"]: row["locale"] for row in ROWS}


@pytest.fixture(scope="module")
def task() -> Task:
    return load(None)


def item_of(example_id: str) -> Item:
    label, _, key = example_id.partition("|")
    return label, key


@pytest.mark.parametrize(
    ("label", "key", "split"),
    [
        ("territory", "DE", "train"),
        ("territory", "JP", "test"),
        ("unit", "length-meter", "test"),
        ("currency", "EUR", "train"),
        ("language", "de", "train"),
    ],
)
def test_the_split_rule_is_the_one_that_nano_was_trained_with(label: str, key: str, split: str) -> None:
    assert split_of(label, key) == split


def test_size(task: Task) -> None:
    assert len(task.languages) == 124
    assert len(listed_items()) == 573
    assert {s: len(task.pool(task.languages, s)) for s in SPLITS} == {"train": 43641, "dev": 5889, "test": 12964}


def test_the_task_is_the_frozen_one(task: Task) -> None:
    assert task.fingerprint == "11b1d923d21bb5f0"


def test_every_language_can_be_scored(task: Task) -> None:
    for code in task.languages:
        counts = Counter(task.split(code, "test").gold.tolist())
        assert counts.total() >= 60
        assert max(counts.values()) <= 0.35 * counts.total()


def test_ids_say_class_and_key_and_split(task: Task) -> None:
    for code in task.languages:
        for split in SPLITS:
            part = task.split(code, split)
            items = [item_of(example.id) for example in part.examples]
            assert items == sorted(set(items))
            assert {split_of(*item) for item in items} == {split}
            assert [label for label, _ in items] == [task.labels[gold] for gold in part.gold]
            assert all(e.language == code and e.text.strip() and e.text_pair is None for e in part.examples)


def test_no_text_of_dev_or_test_is_in_the_train_split_of_its_language(task: Task) -> None:
    for code in task.languages:
        train = {folded(example.text) for example in task.split(code, "train").examples}
        held_out = (*task.split(code, "dev").examples, *task.split(code, "test").examples)
        assert not [example for example in held_out if folded(example.text) in train]


def test_nothing_is_left_in_english_except_in_english(task: Task) -> None:
    english = names_of("en")
    for code in task.languages:
        own = (example for split in SPLITS for example in task.split(code, split).examples)
        same = [e for e in own if folded(e.text) == folded(english.get(item_of(e.id), ""))]
        assert bool(same) == (code == "eng_Latn")


def test_real_names(task: Task) -> None:
    names = {(e.language, e.id): e.text for s in SPLITS for e in task.pool(task.languages, s).examples}
    assert names["deu_Latn", "territory|DE"] == "Deutschland"
    assert names["zho_Hans", "territory|JP"] == "日本"
    assert names["pes_Arab", "territory|RU"] == "روسیه"
    assert names["swh_Latn", "territory|DE"] == "Ujerumani"


def test_the_dropping_rule_compares_folded_texts_and_spares_train() -> None:
    train, test = ("territory", "DE"), ("territory", "JP")
    assert without_train_texts({train: "Foo", test: " foo "}) == {train: "Foo"}
    assert without_train_texts({train: "Foo", test: "bar"}) == {train: "Foo", test: "bar"}


def test_a_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ships with the package"):
        load(tmp_path)


def test_other_texts_are_refused_with_the_way_out() -> None:
    item = ("territory", "DE")
    good = {"deu_Latn": {item: "Deutschland"}, "eng_Latn": {item: "Germany"}}
    listed = [ListedItem(*item, "train", hash_of(item, good))]
    verify(listed, good)
    with pytest.raises(DataError) as caught:
        verify(listed, {**good, "deu_Latn": {item: "Bundesrepublik Deutschland"}})
    message = str(caught.value)
    assert f"babel {version('babel')} is installed" in message
    assert "1 of the 1 items" in message
    assert f"pip install babel=={BABEL_VERSION}" in message


@pytest.mark.parametrize("changed", ["gone", "swapped"])
def test_another_babel_is_noticed(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locale file that is missing, or has another content, as in another release."""
    original = localedata.resolve_locale_filename
    other = tmp_path / "fo.dat"
    if changed == "swapped":
        shutil.copy(original("is"), other)
    monkeypatch.setattr(localedata, "resolve_locale_filename", lambda n: str(other) if n == "fo" else original(n))
    with pytest.raises(DataError, match=r"\d+ of the 573 items of task cldr differ there from babel 2\.18\.0"):
        load(None)


def test_the_hash_knows_languages_and_forgets_their_order() -> None:
    item = ("territory", "DE")
    texts = {"deu_Latn": {item: "a"}, "eng_Latn": {item: "b"}, "fra_Latn": {}}
    assert hash_of(item, texts) == hash_of(item, dict(reversed(texts.items())))
    assert hash_of(item, texts) != hash_of(item, {"deu_Latn": {item: "b"}, "eng_Latn": {item: "a"}})


def test_babels_cache_is_neither_used_nor_changed() -> None:
    """Its cache does not tell a locale loaded with inheritance from one without."""
    code = """
from babel import Locale, localedata
from babel.numbers import format_decimal
localedata.load("de")
from xlt_bench.tasks.cldr import load
load(None)
assert format_decimal(1234.5, locale="de") == "1.234,5"
assert format_decimal(1234.5, locale="bs") == "1.234,5"
assert Locale("nb").territories["DE"] == "Tyskland"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_files_are_what_the_build_makes() -> None:
    if version("babel") != BABEL_VERSION:
        pytest.skip(f"the list is made with babel {BABEL_VERSION}")
    items, locales = select()
    assert locales == sorted(LOCALES.values())
    shipped = files("xlt_bench.tasks.cldr").joinpath("items.tsv").read_text(encoding="utf-8")
    assert items_table(items, texts_of(LOCALES, items)) == shipped
    assert table_faults(ROWS, locales) == []


def test_the_build_names_faults_of_the_table() -> None:
    rows = [dict(row) for row in ROWS if row["code"] != "deu_Latn"]
    rows[0].update(seen="0", joshi="5", script="Cyrl")
    rows[1]["locale"] = "xx"
    faults = table_faults(rows, LOCALES.values())
    assert faults == [
        f"{ROWS[1]['locale']}: listed 0 times",
        "de: listed 0 times",
        "xx: not selected",
        "afr_Latn: seen is not 1",
        "als_Latn: seen is not 0",
        "afr_Latn: script is not in the code",
        "afr_Latn: joshi is '5', in sib200 '3'",
        "afr_Latn: seen is '0', in sib200 '1'",
    ]


def test_macrolanguages_are_mapped() -> None:
    codes = {locale: code for code, locale in LOCALES.items()}
    mapped = (
        "fa pes_Arab, lv lvs_Latn, sw swh_Latn, no nob_Latn, ar arb_Arab, zh zho_Hans, yue yue_Hant, et est_Latn, "
        "az azj_Latn, uz uzn_Latn, sq als_Latn, mn khk_Cyrl, ne npi_Deva, or ory_Orya, ms zsm_Latn, ps pbt_Arab, "
        "ku kmr_Latn, qu quz_Latn, kok gom_Deva, pa pan_Guru, sr srp_Cyrl"
    )
    for pair in mapped.split(", "):
        locale, code = pair.split()
        assert codes[locale] == code


def test_groups_of_nano() -> None:
    groups = task_info("cldr").groups("nano")
    sizes = {name: len(members) for name, members in groups.items() if name != "low-performing"}
    assert sizes == {
        "enarzho": 3,
        "joshi5": 7,
        "seen": 85,
        "all": 124,
        "all-wo-joshi5": 117,
        "seen-wo-joshi5": 78,
        "unseen": 39,
        "full-16": 16,
        "full-8-seen": 8,
        "full-8-unseen": 8,
    }
    assert groups["enarzho"] < groups["joshi5"] < groups["seen"]
    assert groups["seen"] | groups["unseen"] == groups["all"]
    assert "yue_Hant" in groups["unseen"]


def test_the_targets_of_full_supervision_are_diverse_and_no_usual_sources() -> None:
    info = task_info("cldr")
    groups, languages = info.groups("nano"), info.load(None).languages
    assert groups["full-16"] == groups["full-8-seen"] | groups["full-8-unseen"]
    assert groups["full-8-seen"] < groups["seen"]
    assert groups["full-8-unseen"] < groups["unseen"]
    assert not groups["full-16"] & groups["joshi5"]
    for half in ("full-8-seen", "full-8-unseen"):
        assert len({languages[code].family for code in groups[half]}) == 8
    assert len({languages[code].script for code in groups["full-16"]}) == 10
    assert set(info.full_targets) <= set(groups)


def test_low_performing_holds_for_nano_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**row, "low_performing": str(int(row["code"] == "chr_Cher"))} for row in ROWS]
    monkeypatch.setattr("xlt_bench.tasks.cldr._rows", lambda: rows)
    assert task_info("cldr").groups("nano")["low-performing"] == {"chr_Cher"}
    assert "low-performing" not in task_info("cldr").groups("FacebookAI/xlm-roberta-large")
    assert "seen" in task_info("cldr").groups("FacebookAI/xlm-roberta-large")
    assert set(task_info("cldr").groups("bert-base")) == {"enarzho", "joshi5", "all", "all-wo-joshi5", "full-16"}
