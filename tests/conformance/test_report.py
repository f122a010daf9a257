"""The report, declared failures, the pytest helper, and what a method may do that no check foresees."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.faulty_methods import saving, sound
from xlt_bench.conformance import CHECKS, FreshProcess, check_method, parametrize_with_checks
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context
from xlt_bench.task import Example, Labelled

pytest_plugins = ["pytester"]


def test_every_check_says_its_rule_in_one_line() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names) >= 22
    for check in CHECKS:
        assert 20 < len(check.meaning) < 120
        assert check.meaning.endswith(".")


def test_what_a_fit_and_a_prediction_are_handed_has_no_place_for_answers() -> None:
    handed = {name: str(hint) for name, hint in {**Context.__annotations__, **Example.__annotations__}.items()}
    assert not [name for name, hint in handed.items() if "Labelled" in hint or "Task" in hint or "gold" in name]
    assert Example._fields == ("id", "language", "text", "text_pair", "rendering")


def test_a_declared_failure_is_no_failure_and_keeps_its_reason(fresh: FreshProcess) -> None:
    report = check_method(saving.SavesAPickle(), expected_failures={"saves_nothing_pickled": "old format"}, fresh=fresh)
    assert report.passed
    (result,) = [result for result in report.results if result.status == "expected failure"]
    assert (result.check, result.message) == ("saves_nothing_pickled", "old format")


def test_a_declared_failure_that_passes_is_a_failure(fresh: FreshProcess) -> None:
    report = check_method(sound.Words(), expected_failures={"saves_nothing_pickled": "old format"}, fresh=fresh)
    assert [result.check for result in report.failures] == ["saves_nothing_pickled"]
    assert "declared as an expected failure (old format)" in report.failures[0].message


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"saves_nothing_picked": "x"}, "did you mean 'saves_nothing_pickled'"),
        ({CHECKS[0].name: " "}, "needs a reason"),
    ],
)
def test_a_wrong_declaration_is_refused(declared: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_method(sound.Words(), expected_failures=declared)
    with pytest.raises(ConfigError, match=message):
        parametrize_with_checks(sound.Words(), expected_failures=declared)


def test_a_class_in_place_of_an_object_is_refused(fresh: FreshProcess) -> None:
    with pytest.raises(ConfigError, match=r"check an object, not a class: Words\(\)"):
        check_method(sound.Words, fresh=fresh)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"check an object, not a class: Words\(\)"):
        parametrize_with_checks(sound.Words)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CannotFit(sound.Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        raise ValueError("no such thing")


def test_a_method_that_cannot_fit_fails_where_it_is_said_and_skips_the_rest(fresh: FreshProcess) -> None:
    report = check_method(CannotFit(), fresh=fresh)
    failed = {result.check: result.message for result in report.failures}
    assert failed.keys() == {"follows_the_protocol"}
    assert "fit raises ValueError: no such thing (test_report.py:" in failed["follows_the_protocol"]
    assert report.count("skipped") > 10


@dataclass(frozen=True)
class Dies(sound.Words):
    pid: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        if os.getpid() != self.pid:
            os.abort()
        return super().fit(train, dev, context)


@dataclass(frozen=True)
class Hangs(sound.Words):
    pid: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        if os.getpid() != self.pid:
            time.sleep(600)
        return super().fit(train, dev, context)


def test_a_fresh_process_that_dies_is_told_and_the_next_one_works(fresh: FreshProcess) -> None:
    report = check_method(Dies(pid=os.getpid()), fresh=fresh)
    assert any("a fresh process died (-6)" in result.message for result in report.failures)
    assert check_method(sound.Words(), fresh=fresh).passed


@pytest.mark.slow
def test_a_fresh_process_that_does_not_end_is_given_up() -> None:
    patient = FreshProcess(limit=1.0)
    report = check_method(Hangs(pid=os.getpid()), fresh=patient)
    patient.close()
    assert any("did not end within 1 s" in result.message for result in report.failures)


def test_a_class_in_a_function_is_told_where_it_belongs(fresh: FreshProcess) -> None:
    @dataclass(frozen=True)
    class Local(sound.Words):
        pass

    report = check_method(Local(), fresh=fresh)
    assert any("define it at the top level of a module" in result.message for result in report.failures)


def test_the_report_as_plain_data(fresh: FreshProcess) -> None:
    plain = check_method(sound.Words(), fresh=fresh, label="words").as_json()
    assert (plain["method"], plain["passed"]) == ("words", True)
    assert [check["check"] for check in plain["checks"]] == [check.name for check in CHECKS]


PLUGIN_TEST = """
from tests.support.faulty_methods.saving import SavesAPickle
from xlt_bench.conformance import parametrize_with_checks

@parametrize_with_checks(SavesAPickle())
def test_undeclared(check):
    check()

@parametrize_with_checks(SavesAPickle(), expected_failures={"saves_nothing_pickled": "old format"})
def test_declared(check):
    check()

@parametrize_with_checks(SavesAPickle(), expected_failures={"one_finite_row_an_item": "odd"})
def test_declared_but_passing(check):
    check()
"""


def test_one_test_a_check_in_a_plugins_own_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PLUGIN_TEST)
    pytester.syspathinsert(ROOT)
    result = pytester.runpytest("-rA", "-p", "no:cacheprovider", "-k", "pickled or one_finite or head_is")
    result.assert_outcomes(passed=2, skipped=3, failed=3, xfailed=1)
    result.stdout.fnmatch_lines(["*without running code*But: save writes extra, which is of no known format*"])
    result.stdout.fnmatch_lines(["FAILED *test_declared_but_passing[[]SavesAPickle-one_finite_row_an_item]*"])
