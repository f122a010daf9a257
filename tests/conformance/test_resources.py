"""Checks relax for the resources that a method declares, and for nothing else."""

from __future__ import annotations

import pytest

from tests.support import resource_methods as methods
from xlt_bench.conformance import FreshProcess, check_method
from xlt_bench.conformance.worlds import world
from xlt_bench.method import Method
from xlt_bench.resources import RESOURCES
from xlt_bench.task import Split, Task

DECLARING = (
    methods.ParallelIds(),
    methods.TargetWords(),
    methods.FolderWords(),
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


def test_use_of_shared_ids_without_declaring_is_caught(fresh: FreshProcess) -> None:
    report = check_method(methods.UndeclaredIds(), fresh=fresh)
    assert [failure.check for failure in report.failures] == ["sees_no_answers_and_no_targets"], str(report)


def texts_of(task: Task, split: Split) -> list[str]:
    return sorted(example.text for example in task.split("kat_Geor", split).examples)


@pytest.mark.parametrize("needs", [frozenset[str](), frozenset(RESOURCES)], ids=["nothing", "all"])
def test_what_is_declared_is_alike_in_both_worlds_and_the_rest_is_not(needs: frozenset[str]) -> None:
    first, second = world(0, needs), world(1, needs)
    assert texts_of(first, "test") == texts_of(second, "test")
    assert (first.split("kat_Geor", "test").gold != second.split("kat_Geor", "test").gold).all()
    assert (texts_of(first, "train") == texts_of(second, "train")) == bool(needs)
    ids = [{example.id for example in task.split("eng_Latn", "train").examples} for task in (first, second)]
    assert (ids[0] == ids[1]) == bool(needs)
