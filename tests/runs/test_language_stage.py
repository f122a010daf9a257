"""The language stage: what fits of languages see, when they are shared, and what Records tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from tests.support.commands import Command
from tests.support.fits import context, short
from tests.support.toy import CODES, part, toy_task
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Context, LanguageFit, LanguageSummary
from xlt_bench.methods.madx import MadX
from xlt_bench.recipe import Phase
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.resources import Resources, Text, check_texts, language_texts
from xlt_bench.runs.checkpoints import Checkpointing
from xlt_bench.runs.language_stage import LanguageStage, fit_language
from xlt_bench.task import Labelled

SUMMARY = LanguageSummary(2, 1, 3, 3, 2.0, 1.0, 5)


@dataclass(frozen=True)
class Noting(MadX):
    """Writes down which languages it fits, and what it could see beside their texts."""

    calls: ClassVar[list[tuple[str, int]]] = []
    seen: ClassVar[list[Context]] = []

    def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
        self.calls.append((language, len(texts)))
        self.seen.append(context)
        return LanguageFit({"weight": torch.tensor([float(len(texts))])}, SUMMARY)


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    Noting.calls.clear()
    Noting.seen.clear()


def madx_context(backbone: Backbone) -> Context:
    return context(backbone, short("cldr", "madx"))


def texts_of(count: int) -> tuple[Text, ...]:
    return tuple(Text(f"text {number}") for number in range(count))


def stage(store: Path, method: MadX | None = None, backbone: str = "tiny") -> LanguageStage:
    return LanguageStage("noting", method or Noting(), backbone, Store(store), Checkpointing("", None, StopSignals()))


def test_texts_come_without_labels_ids_and_order() -> None:
    """The n-th text of a language tells nothing of the n-th of another; what is given is the same in any order."""
    task = toy_task()
    texts = language_texts(task, CODES[:2], CODES, Resources())
    assert list(texts) == list(CODES[:2]), "no target without a declared resource"
    assert all(type(text) is Text for of_language in texts.values() for text in of_language)
    data = {code: dict(splits) for code, splits in task.data.items()}
    for code in CODES[:2]:
        train = task.split(code, "train")
        shuffled = train.take(np.random.default_rng(0).permutation(len(train)))
        renamed = tuple(example._replace(id="x") for example in shuffled.examples)
        data[code]["train"] = Labelled(renamed, (shuffled.gold + 1) % 3)
    assert language_texts(replace(task, data=data), CODES[:2], CODES, Resources()) == texts
    assert [text.text for text in texts[CODES[0]]] != [example.text for example in part(CODES[0], "train").examples]


def test_targets_come_from_what_is_declared_and_a_source_may_have_text_of_the_folder() -> None:
    given = MappingProxyType({"eng_Latn": texts_of(3), "kat_Geor": texts_of(4)})
    resources = Resources({"unlabelled-folder": given})
    texts = language_texts(toy_task(), CODES[:2], ("kat_Geor", "tha_Thai"), resources)
    assert {code: len(of_language) for code, of_language in texts.items()} == {
        "eng_Latn": 3,
        "deu_Latn": len(part("deu_Latn", "train")),
        "kat_Geor": 4,
    }


def test_a_fit_sees_nothing_of_the_run(tiny_backbone: Backbone) -> None:
    resources = Resources({"unlabelled-folder": MappingProxyType({"kat_Geor": texts_of(4)})})
    run = replace(madx_context(tiny_backbone), seed=5, resources=resources)
    fit_language(Noting(), "kat_Geor", texts_of(4), run)
    (seen,) = Noting.seen
    assert (seen.seed, seen.labels, list(seen.resources), dict(seen.languages.fits)) == (0, (), [], {})


def test_fits_are_made_once_and_shared_by_seeds_and_sets_of_targets(tmp_path: Path, tiny_backbone: Backbone) -> None:
    run, texts = madx_context(tiny_backbone), {"eng_Latn": texts_of(3), "kat_Geor": texts_of(4)}
    first = stage(tmp_path).fits(texts, run)
    again = stage(tmp_path).fits({**texts, "tha_Thai": texts_of(2)}, replace(run, seed=7))
    assert Noting.calls == [("eng_Latn", 3), ("kat_Geor", 4), ("tha_Thai", 2)]
    assert float(again["kat_Geor"].weights["weight"]) == float(first["kat_Geor"].weights["weight"]) == 4.0
    assert again["kat_Geor"].summary == SUMMARY


CHANGES = ("texts", "language", "settings", "backbone", "precision")
RECIPE_CHANGES: dict[str, Any] = {
    "language": Phase(steps=99, patience=None),
    "batch_size": 7,
    "max_length": 11,
    "decay_biases": True,
    "text_prefix": "query: ",
}


@pytest.mark.parametrize("change", [*CHANGES, "rate", *(f"recipe.{name}" for name in RECIPE_CHANGES)])
def test_a_fit_is_another_where_anything_that_it_follows_from_is(
    change: str, tmp_path: Path, tiny_backbone: Backbone
) -> None:
    run, texts = madx_context(tiny_backbone), texts_of(3)
    stage(tmp_path).fits({"eng_Latn": texts}, run)
    recipe = run.recipe
    later = {
        "rate": replace(run, recipe=recipe.with_rates(language=0.3)),
        "precision": replace(run, precision="bf16"),
        **{f"recipe.{n}": replace(run, recipe=replace(recipe, **{n: value})) for n, value in RECIPE_CHANGES.items()},
    }
    assert all(context.recipe != recipe for name, context in later.items() if name != "precision")
    method = Noting(invertible=False) if change == "settings" else Noting()
    changed = texts_of(2) if change == "texts" else texts
    backbone = "other" if change == "backbone" else "tiny"
    language = "deu_Latn" if change == "language" else "eng_Latn"
    stage(tmp_path, method, backbone).fits({language: changed}, later.get(change, run))
    assert len(Noting.calls) == 2


def test_a_language_without_text_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"language kat_Geor has 1 unlabelled texts.* on 2 or more; .*leave it out"):
        check_texts({"eng_Latn": texts_of(2), "kat_Geor": texts_of(1)})


def test_what_is_no_language_fit_is_refused(tiny_backbone: Backbone) -> None:
    class Wrong(Noting):
        def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
            return {}  # type: ignore[return-value]

    with pytest.raises(MethodError, match="fit_language must return a LanguageFit, not dict"):
        fit_language(Wrong(), "eng_Latn", texts_of(2), madx_context(tiny_backbone))


def test_records_tell_what_fits_of_languages_took_and_what_they_learned(run: Command) -> None:
    """Two seeds share them; they are counted in both, beside the fit on labels and not in it."""
    said = run("-m", "madx", "--set", "language_steps=3", "--seeds", "2", "--steps", "4", "--targets", "unseen")
    assert said.code == 0, said.err
    assert "each language is fitted on unlabelled text, once for all runs: 3 steps" in said.err
    records: list[Record] = list(Store(Path("xlt-results")).records()[0])
    assert len(records) == 2
    assert len(list(Path("xlt-results/.languages").iterdir())) == 5, "three sources and two targets"
    for record in records:
        languages = record.fit["languages"]
        assert set(languages) == {*CODES[:3], *CODES[4:]}
        assert {part["steps"] for part in languages.values()} == {3}
        assert record.counted["language_steps"] == record.counted["language_budget_steps"] == 15
        assert record.counted["steps"] <= 4
        assert record.timing["language_fit_seconds"] > 0
        assert list(record.cell.resources) == ["unlabelled-target"]


@pytest.mark.parametrize(("language", "lines"), [("tha_Thai", ""), ("eng_Latn", "a single line\n"), ("eng_Latn", "")])
def test_a_target_or_source_with_too_little_text_in_the_folder_is_refused_before_anything_runs(
    language: str, lines: str, run: Command, tmp_path: Path
) -> None:
    for code in CODES:
        (tmp_path / f"{code}.txt").write_text(lines if code == language else "one line\nanother line\n")
    said = run(
        "-m", "madx", "--set", "text=folder", "--targets", "unseen", "--resource", f"unlabelled-folder={tmp_path}"
    )
    assert said.code == 2
    assert f"language {language} has {lines.count('line')} unlabelled texts" in said.err
    assert not Path("xlt-results").exists()


def test_full_protocol_fits_the_sources_without_a_target(run: Command) -> None:
    options = ("--protocol", "full", "--seeds", "1", "--steps", "4", "--target-steps", "3", "--targets", "swh_Latn")
    said = run("-m", "madx", "--set", "language_steps=3", *options)
    assert said.code == 0, said.err
    (record,) = Store(Path("xlt-results")).records()[0]
    assert set(record.fit["languages"]) == {*CODES[:3], "swh_Latn"}


def test_few_labelled_examples_change_nothing_of_the_language_stage(run: Command) -> None:
    """Three examples, drawn by seed: all sources are fitted on all of their train texts, once."""
    options = ("--seeds", "2", "--steps", "2", "--targets", "swh_Latn", "--examples", "3")
    said = run("-m", "madx", "--set", "language_steps=2", *options)
    assert said.code == 0, said.err
    records: list[Record] = list(Store(Path("xlt-results")).records()[0])
    assert [record.status for record in records] == ["complete", "complete"]
    assert all(set(record.fit["languages"]) == {*CODES[:3], "swh_Latn"} for record in records)
    assert len(list(Path("xlt-results/.languages").iterdir())) == 4, "fits do not depend on the seed"
