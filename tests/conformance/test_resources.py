"""Checks relax for the resources that a method declares, and for nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import resource_methods as methods
from xlt_bench.conformance import FreshProcess, check_method
from xlt_bench.conformance.toy import SOURCES, TARGETS
from xlt_bench.conformance.worlds import world
from xlt_bench.method import Method
from xlt_bench.resources import RESOURCES, Scope, supplies, with_usable_labels
from xlt_bench.task import Split, Task

DECLARING = (
    methods.ParallelIds(),
    methods.TargetWords(),
    methods.FolderWords(),
    methods.PairedWords(),
    methods.RenderedWords(),
    methods.NamedWords(),
    methods.TemplateWords(),
)


def test_there_is_a_method_for_each_resource() -> None:
    assert {name for method in DECLARING for name in method.needs} == set(RESOURCES)


@pytest.mark.parametrize("method", DECLARING, ids=lambda method: type(method).__name__)
def test_methods_that_declare_what_they_use_pass(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)


def test_use_without_declaring_fails_in_one_line(fresh: FreshProcess) -> None:
    (failure,) = check_method(methods.Undeclared(), fresh=fresh).failures
    assert failure.check == "follows_the_protocol"
    assert "uses the resource 'unlabelled-target' without declaring it" in failure.message


@pytest.mark.parametrize("method", [methods.UndeclaredIds(), methods.PairedUndeclaredIds()])
def test_use_of_shared_ids_without_declaring_is_caught(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert [failure.check for failure in report.failures] == ["sees_no_answers_and_no_targets"], str(report)


def texts_of(task: Task, split: Split) -> list[str]:
    return sorted(example.text for example in task.split("kat_Geor", split).examples)


def test_pairs_are_alike_in_both_worlds_and_labels_ids_and_what_translates_labelled_items_are_not() -> None:
    needs = frozenset({"parallel-disjoint"})
    worlds = [world(number, needs) for number in (0, 1)]
    supplied = [supplies(needs, {}, Scope(task, SOURCES, TARGETS))["parallel-disjoint"] for task in worlds]
    assert supplied[0].fingerprint == supplied[1].fingerprint
    assert all(len(pairs) > 1 for pairs in supplied[0].content.values())
    sources = [task.pool(SOURCES, "train") for task in worlds]
    targets = [task.pool(TARGETS, "train") for task in worlds]
    labels = [{(e.language, e.text): g for e, g in zip(part.examples, part.gold, strict=True)} for part in sources]
    usable = [with_usable_labels(part, needs) for part in sources]
    np.testing.assert_array_equal(usable[0].gold, usable[1].gold)
    assert [example.text for example in usable[0].examples] == [example.text for example in usable[1].examples]
    assert labels[0] != labels[1]
    for first, second in (sources, targets):
        assert not {example.id for example in first.examples} & {example.id for example in second.examples}
    translated = [{e.text for e in with_usable_labels(part, needs).examples} for part in targets]
    assert len(translated[0] & translated[1]) < len(translated[0])


def test_renderings_are_alike_in_both_worlds_and_the_labels_and_ids_of_their_items_are_not() -> None:
    needs = frozenset({"translate-train", "translated-test"})
    worlds = [world(number, needs) for number in (0, 1)]
    supplied = [supplies(needs, {}, Scope(task, SOURCES, TARGETS)) for task in worlds]
    for name in needs:
        assert supplied[0][name].fingerprint == supplied[1][name].fingerprint
    first, second = (task.split("kat_Geor", "test") for task in worlds)
    assert (first.gold != second.gold).all()
    assert not {example.id for example in first.examples} & {example.id for example in second.examples}
    assert texts_of(worlds[0], "train") != texts_of(worlds[1], "train")


@pytest.mark.parametrize("needs", [frozenset[str](), frozenset(RESOURCES)], ids=["nothing", "all"])
def test_what_is_declared_is_alike_in_both_worlds_and_the_rest_is_not(needs: frozenset[str]) -> None:
    first, second = world(0, needs), world(1, needs)
    assert texts_of(first, "test") == texts_of(second, "test")
    assert (first.split("kat_Geor", "test").gold != second.split("kat_Geor", "test").gold).all()
    assert (texts_of(first, "train") == texts_of(second, "train")) == bool(needs)
    ids = [{example.id for example in task.split("eng_Latn", "train").examples} for task in (first, second)]
    assert (ids[0] == ids[1]) == bool(needs)
