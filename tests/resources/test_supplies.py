"""What each resource hands out, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import ROOT
from tests.support.toy import LABEL_WORDS, LABELS, toy_task
from xlt_bench.errors import ConfigError, DataError, MethodError
from xlt_bench.method import Context
from xlt_bench.recipe import preset_recipe
from xlt_bench.resources import RESOURCES, Resources, Scope, Supply, Text, contents, needs_of, rendered, supplies
from xlt_bench.resources.parallel_disjoint import is_labelled
from xlt_bench.runs.calls import anonymous
from xlt_bench.task import SPLITS, Labelled, Task

SOURCES, TARGETS = ("eng_Latn", "deu_Latn"), ("kat_Geor", "tha_Thai")
SCOPE = Scope(toy_task(), SOURCES, TARGETS)


def supply(name: str, path: Path | None = None, scope: Scope = SCOPE) -> Supply:
    return supplies(frozenset({name}), {name: path} if path else {}, scope)[name]


def changed(task: Task, code: str, split: str, part: Labelled) -> Task:
    """The task with another split of one language."""
    return replace(task, data={**task.data, code: {**task.data[code], split: part}})  # type: ignore[dict-item]


def texts_of(task: Task, code: str, split: Any) -> list[str]:
    return [example.text for example in task.split(code, split).examples]


def test_target_texts_are_those_of_the_train_split_and_nothing_else() -> None:
    content = supply("unlabelled-target").content
    assert list(content) == list(TARGETS)
    for code in TARGETS:
        assert sorted(content[code]) == sorted(Text(text) for text in texts_of(SCOPE.task, code, "train"))


def test_the_order_of_target_texts_tells_nothing_of_ids_labels_and_place_in_the_file() -> None:
    """The trap of parallel tasks: ids, order and labels of the n-th item are the same in every language."""
    task = SCOPE.task
    part = task.split("kat_Geor", "train")
    shuffled = part.take(np.random.default_rng(0).permutation(len(part)))
    renamed = tuple(example._replace(id=f"x{row}") for row, example in enumerate(shuffled.examples))
    other = changed(task, "kat_Geor", "train", Labelled(renamed, (shuffled.gold + 1) % 3))
    first, second = supply("unlabelled-target"), supply("unlabelled-target", scope=Scope(other, SOURCES, TARGETS))
    assert first.content["kat_Geor"] == second.content["kat_Geor"]
    assert first.fingerprint == second.fingerprint
    assert [text.text for text in first.content["kat_Geor"]] != texts_of(task, "kat_Geor", "train")


def test_a_target_without_train_split_is_refused_by_name() -> None:
    bare = changed(SCOPE.task, "tha_Thai", "train", Labelled((), np.zeros(0, np.int64)))
    with pytest.raises(ConfigError, match=r"task toy has no train split for tha_Thai, .* leave these out of --targets"):
        supply("unlabelled-target", scope=replace(SCOPE, task=bare))


def test_parallel_items_are_those_whose_id_two_sources_share() -> None:
    content = supply("source-parallel").content
    assert content == {f"train{number}": SOURCES for number in range(18)}


@pytest.mark.parametrize("sources", [(), ("eng_Latn",)])
def test_sources_without_parallel_items_are_refused(sources: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"no two train items of the sources .* give two source languages or more"):
        supply("source-parallel", scope=replace(SCOPE, sources=sources))


def test_pairs_are_of_the_half_without_labels_and_tell_no_id() -> None:
    content = supply("parallel-disjoint").content
    hidden = [number for number in range(18) if not is_labelled(f"train{number}")]
    assert 0 < len(hidden) < 18
    assert list(content) == list(TARGETS)
    for target in TARGETS:
        texts = {code: texts_of(SCOPE.task, code, "train") for code in (*SOURCES, target)}
        assert sorted(pair.target.text for pair in content[target]) == sorted(texts[target][row] for row in hidden)
        possible = {(code, texts[code][row], texts[target][row]) for code in SOURCES for row in hidden}
        assert {(pair.language, pair.source.text, pair.target.text) for pair in content[target]} <= possible
    assert {pair.language for pairs in content.values() for pair in pairs} == set(SOURCES)


def test_order_and_ids_of_pairs_tell_nothing_of_labels_and_place_in_the_file() -> None:
    part = SCOPE.task.split("kat_Geor", "train")
    shuffled = part.take(np.random.default_rng(0).permutation(len(part)))
    other = changed(SCOPE.task, "kat_Geor", "train", Labelled(shuffled.examples, (shuffled.gold + 1) % 3))
    first, second = supply("parallel-disjoint"), supply("parallel-disjoint", scope=Scope(other, SOURCES, TARGETS))
    assert first.fingerprint == second.fingerprint
    order = [pair.target.text for pair in first.content["kat_Geor"]]
    assert order != [text for text in texts_of(SCOPE.task, "kat_Geor", "train") if text in order]


def test_a_text_that_a_labelled_item_has_too_is_in_no_pair() -> None:
    part = SCOPE.task.split("eng_Latn", "train")
    labelled, hidden = (
        next(row for row, example in enumerate(part.examples) if is_labelled(example.id) == with_label)
        for with_label in (True, False)
    )
    examples = list(part.examples)
    examples[hidden] = examples[hidden]._replace(text=examples[labelled].text)
    task = changed(SCOPE.task, "eng_Latn", "train", Labelled(tuple(examples), part.gold))
    sources = ("eng_Latn",)
    before, after = (supply("parallel-disjoint", scope=Scope(world, sources, TARGETS)) for world in (SCOPE.task, task))
    assert len(after.content["kat_Geor"]) == len(before.content["kat_Geor"]) - 1
    assert examples[labelled].text not in {pair.source.text for pair in after.content["kat_Geor"]}


def test_pairs_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"all targets \(eng_Latn\) are sources; give others"):
        supply("parallel-disjoint", scope=replace(SCOPE, targets=("eng_Latn",)))
    part = SCOPE.task.split("tha_Thai", "train")
    apart = tuple(example._replace(id=f"thai-{example.id}") for example in part.examples)
    for other in (Labelled(apart, part.gold), Labelled((), np.zeros(0, np.int64))):
        scope = replace(SCOPE, task=changed(SCOPE.task, "tha_Thai", "train", other))
        with pytest.raises(ConfigError, match=r"no train item without label of tha_Thai shares its id .* leave these"):
            supply("parallel-disjoint", scope=scope)
    few = SCOPE.task
    for code in SOURCES:
        items = few.split(code, "train")
        rows = [row for row, example in enumerate(items.examples) if not is_labelled(example.id)]
        few = changed(few, code, "train", items.take(rows))
    with pytest.raises(ConfigError, match=r"leaves labels of one half .* none of toy is in it; take a task with more"):
        supply("parallel-disjoint", scope=replace(SCOPE, task=few))


def test_renderings_come_with_their_items_by_place_and_change_no_fingerprint() -> None:
    """Of items in another order, each in the source's words; with mere numbers for ids they stay where they are."""
    part = SCOPE.task.split("kat_Geor", "test")
    shuffled = part.take(np.random.default_rng(0).permutation(len(part)))
    task = changed(SCOPE.task, "kat_Geor", "test", shuffled)
    scope = Scope(task, SOURCES, TARGETS)
    supplied = {name: supply(name, scope=scope) for name in ("translate-train", "translated-test")}
    with_renderings = rendered(task, contents(supplied))
    assert with_renderings.fingerprint == task.fingerprint
    for split in SPLITS:
        english = {example.id: example.text for example in task.split("eng_Latn", split).examples}
        for code in TARGETS:
            examples = with_renderings.split(code, split).examples
            assert [example.rendering for example in examples] == [(english[example.id], None) for example in examples]
            assert [example._replace(rendering=None) for example in examples] == [*task.split(code, split).examples]
            numbered = anonymous(with_renderings.split(code, split)).examples
            assert [example.rendering for example in numbered] == [example.rendering for example in examples]
    assert all(example.rendering is None for example in with_renderings.pool(["eng_Latn", "fra_Latn"], "test").examples)


def test_items_have_no_rendering_that_is_not_declared() -> None:
    task = rendered(SCOPE.task, contents({"translated-test": supply("translated-test")}))
    assert all(example.rendering is None for example in task.pool(TARGETS, "train").examples)
    assert rendered(SCOPE.task, contents({})) is SCOPE.task


@pytest.mark.parametrize(("name", "split"), [("translate-train", "dev"), ("translated-test", "test")])
def test_items_that_the_source_does_not_have_are_refused(name: str, split: str) -> None:
    part = SCOPE.task.split("tha_Thai", split)  # type: ignore[arg-type]
    apart = (part.examples[0]._replace(id="only-thai"), *part.examples[1:])
    scope = replace(SCOPE, task=changed(SCOPE.task, "tha_Thai", split, Labelled(apart, part.gold)))
    with pytest.raises(
        ConfigError, match=rf"{name}: 1 of the \d+ {split} items of tha_Thai share no id with an item of eng"
    ):
        supply(name, scope=scope)
    with pytest.raises(ConfigError, match="--sources is none; give one"):
        supply(name, scope=replace(SCOPE, sources=()))


def write_texts(folder: Path, **lines: list[str]) -> Path:
    for code, of_code in lines.items():
        (folder / f"{code}.txt").write_text("\n".join(of_code), encoding="utf-8")
    return folder


def test_lines_of_a_folder_come_without_blanks_and_without_dev_and_test_texts_of_any_language(tmp_path: Path) -> None:
    hidden = [texts_of(SCOPE.task, "fra_Latn", "test")[0], texts_of(SCOPE.task, "kat_Geor", "dev")[0]]
    folder = write_texts(
        tmp_path,
        kat_Geor=["one text", "", f" {hidden[0]} ", "two\u2028texts"],
        tha_Thai=[hidden[1]],
        eng_Latn=["three"],
    )
    handed = supply("unlabelled-folder", folder)
    assert handed.content == {
        "eng_Latn": (Text("three"),),
        "kat_Geor": (Text("one text"), Text("two\u2028texts")),
        "tha_Thai": (),
    }
    assert handed.note == (
        "Saw 3 unlabelled texts of 3 languages from a folder, none of tha_Thai; 2 lines that equal a dev or test text "
        "were left out."
    )


def test_a_folder_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs unlabelled-folder, .* --resource unlabelled-folder=FOLDER"):
        supply("unlabelled-folder")
    with pytest.raises(ConfigError, match=r"no folder '.*nowhere'"):
        supply("unlabelled-folder", tmp_path / "nowhere")
    write_texts(tmp_path, kat_Geor=["a"])
    with pytest.raises(ConfigError, match=r"has no tha_Thai.txt; write one, a text a line, or leave"):
        supply("unlabelled-folder", tmp_path)
    (tmp_path / "tha_Thai.txt").write_bytes(b"ab\xff")
    with pytest.raises(DataError, match=r"tha_Thai.txt: byte 2 is not UTF-8"):
        supply("unlabelled-folder", tmp_path)


def test_label_words_come_by_language_and_class(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text(LABEL_WORDS, encoding="utf-8")
    assert supply("label-words", path).content == {"eng_Latn": {label: (label, f"{label}s") for label in LABELS}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no language; write a table such as"),
        (LABEL_WORDS.replace("eng_Latn", "eng_Latin"), "no language of the task 'eng_Latin'; did you mean 'eng_Latn'?"),
        (LABEL_WORDS + '\nplant = ["tree"]', r"\[eng_Latn\]: no key 'plant'"),
        (LABEL_WORDS.replace('"animals"', '"animal"'), "animal names 'animal' twice"),
        (LABEL_WORDS.replace('["animal", "animals"]', "[]"), r"no words for the class 'animal'; write 'animal' = \["),
        ("eng_Latn = 3", r"eng_Latn must be a table, \[eng_Latn\], not 3"),
    ],
)
def test_label_words_that_break_a_rule_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        supply("label-words", path)


def test_paths_that_nobody_takes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no resource 'label-word'; did you mean 'label-words'?"):
        supplies(frozenset(), {"label-word": tmp_path}, SCOPE)
    with pytest.raises(
        ConfigError, match=r"--resource label-words: the method takes no such file or folder; it takes none"
    ):
        supplies(frozenset({"source-parallel"}), {"label-words": tmp_path}, SCOPE)
    with pytest.raises(ConfigError, match=r"--resource source-parallel: the method takes no such"):
        supplies(frozenset({"source-parallel"}), {"source-parallel": tmp_path}, SCOPE)


@pytest.mark.parametrize("name", list(RESOURCES))
def test_the_hash_follows_from_the_content(name: str, tmp_path: Path) -> None:
    path = None
    if RESOURCES[name].needs_path and RESOURCES[name].path == "FOLDER":
        path = write_texts(tmp_path, **{code: ["a text"] for code in TARGETS})
    elif RESOURCES[name].needs_path:
        path = tmp_path / "words.toml"
        path.write_text(f"{LABEL_WORDS} # {{text}}", encoding="utf-8")
    first = supply(name, path)
    assert len(first.fingerprint) == 16
    assert supply(name, path).fingerprint == first.fingerprint
    if path is None:
        other = supply(name, scope=replace(SCOPE, sources=("eng_Latn", "fra_Latn"), targets=("tha_Thai",)))
    elif path.is_dir():
        other = supply(name, write_texts(path, kat_Geor=["another text"]))
    else:
        path.write_text(f"{LABEL_WORDS.replace('animals', 'beasts')} # {{text}}", encoding="utf-8")
        other = supply(name, path)
    assert other.fingerprint != first.fingerprint


def test_the_guide_lists_every_resource_and_how_it_is_given() -> None:
    guide = (ROOT / "docs/adding-a-method.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| .* \| (.*) \|$", guide, re.M))
    assert list(rows) == list(RESOURCES)
    for name, resource in RESOURCES.items():
        assert (f"`--resource {name}={resource.path}`" in rows[name]) == (resource.path is not None)


class Misdeclared:
    needs: Any


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (["label-words"], "needs of Misdeclared must be a set of names"),
        ({"label-word"}, "no resource that Misdeclared could need 'label-word'; did you mean 'label-words'?"),
        (property(lambda self: 1 / 0), "needs of Misdeclared raises ZeroDivisionError"),
    ],
)
def test_needs_that_are_none_are_refused(needs: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Misdeclared, "needs", needs, raising=False)
    with pytest.raises(MethodError, match=message):
        needs_of(Misdeclared())


def test_a_context_offers_what_is_declared_and_refuses_all_else() -> None:
    context = Context(LABELS, 0, preset_recipe("cldr"), resources=Resources({"label-words": 1}))
    assert context.resources["label-words"] == 1
    assert list(context.resources) == ["label-words"]
    message = "uses the resource 'unlabelled-target' without declaring it; write needs: .*'unlabelled-target'"
    with pytest.raises(MethodError, match=message):
        context.resources["unlabelled-target"]
    with pytest.raises(TypeError):
        supply("unlabelled-target").content["kat_Geor"] = ()


def test_the_order_of_a_file_of_label_words_is_no_part_of_its_content(tmp_path: Path) -> None:
    """It is no part of the hash, so a method must not see it."""
    contents = []
    for name, codes in (("there", SCOPE.task.languages), ("back", [*SCOPE.task.languages][::-1])):
        path = tmp_path / f"{name}.toml"
        tables = ([f"[{code}]", *(f'"{label}" = ["{code} {label}"]' for label in LABELS)] for code in codes)
        path.write_text("\n".join(line for table in tables for line in table), encoding="utf-8")
        contents.append(supply("label-words", path).content)
    assert list(contents[0]) == list(contents[1]) == list(SCOPE.task.languages)
