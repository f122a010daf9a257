"""Every check catches something that no other check does: methods with one thing wrong fail exactly one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
import torch

from tests.support import broken_methods as broken
from tests.support import unfair_methods as unfair
from xlt_bench.conformance import CHECKS, FreshProcess, check_method
from xlt_bench.method import Method

HOME = os.getpid()
CAUGHT: list[tuple[str, Method]] = [
    ("follows_the_protocol", broken.ForgetsTheSummary()),
    ("configuration_round_trips", broken.DefaultOfTheProcess()),
    ("configuration_round_trips", broken.RewritesItsFields()),
    ("constructor_does_no_work", broken.ComputesWhenMade()),
    ("constructor_does_no_work", broken.ReadsWhenMade()),
    ("constructor_does_no_work", broken.DrawsWhenMade()),
    ("predict_before_fit_is_refused", broken.LoadsNothing()),
    ("predict_before_fit_is_refused", broken.PredictsUnfitted()),
    ("same_seed_same_predictions", broken.Unseeded()),
    ("other_seed_other_parameters", broken.AlwaysSeedZero()),
    ("other_seed_other_parameters", broken.DeniesItsSeed()),
    ("random_state_is_restored", broken.SeedsEverybody()),
    ("learns_a_separable_task", broken.LearnsNothing()),
    ("trainable_parameters_are_true", broken.DeclaresTooMany()),
    ("trainable_parameters_are_true", broken.ForgetsARole()),
    ("head_is_trained_and_saved", broken.RandomHead()),
    ("backbone_stays_frozen", broken.LeavesGradientsOn()),
    ("backbone_stays_frozen", broken.TouchesAWeight()),
    ("a_second_fit_grows_nothing", broken.KeepsEveryFit()),
    ("a_second_fit_grows_nothing", broken.KeepsAnArray()),
    ("loads_the_same_elsewhere", broken.LosesPrecision()),
    ("saves_nothing_pickled", broken.SavesAPickle()),
    ("one_finite_row_an_item", broken.DropsDuplicates()),
    ("batches_and_order_change_nothing", broken.CentresOnTheBatch()),
    ("odd_inputs_are_predicted", broken.DividesByZero()),
    ("adapt_leaves_the_source_fit", broken.SpoilsTheSource()),
    ("sees_no_answers_and_no_targets", broken.PeeksAtAnswers()),
    ("sees_no_answers_and_no_targets", broken.ScoresByItemId()),
    ("sees_no_answers_and_no_targets", broken.PeeksAtTargets()),
    ("inputs_are_left_as_they_were", broken.ShufflesTheGold()),
    ("inputs_are_left_as_they_were", broken.KeepsStateInItself()),
    ("libraries_are_left_as_they_were", broken.PatchesTorch()),
    ("keeps_to_the_budget", unfair.TakesMoreSteps()),
    ("keeps_to_the_budget", unfair.TakesMoreStepsInPacks()),
    ("keeps_to_the_budget", unfair.TriesTwiceInPacks()),
    ("keeps_to_the_budget", unfair.TakesMoreStepsToAdapt()),
    ("keeps_to_the_budget", unfair.TakesLargerBatches()),
    ("summary_is_true", unfair.SaysFewerSteps()),
    ("summary_is_true", unfair.SaysHigherAccuracy()),
    ("summary_is_true", unfair.SelectsNothingThatWas()),
    ("summary_is_true", unfair.SaysStepsWithoutAny()),
    ("summary_is_true", unfair.SaysImpossibleAccuracy()),
    ("trainable_parameters_are_true", unfair.DeclaresNone()),
    ("backbone_stays_frozen", unfair.RestoresTheBackbone()),
    ("dev_is_not_trained_on", unfair.LearnsFromDev()),
    ("dev_is_not_trained_on", unfair.TrainsOnDev()),
    ("batches_and_order_change_nothing", unfair.SelfTrains()),
    ("batches_and_order_change_nothing", unfair.DependsOnOrderOfMany()),
    ("fits_together_as_alone", unfair.IgnoresSeedsOfPacks()),
    ("fits_the_same_elsewhere", unfair.SeededByTheHour()),
    ("fits_the_same_elsewhere", unfair.SeededByTheFirstFit()),
    ("depends_on_content_alone", unfair.CachesById()),
    ("reads_nothing_hidden", unfair.ReadsTheEnvironment()),
    ("reads_nothing_hidden", unfair.ReadsTestLabels()),
    ("prints_nothing", unfair.Prints(home=HOME)),
    ("leaves_no_files", unfair.WritesIntoTheWorkingFolder(home=HOME)),
    ("leaves_no_files", unfair.SavesOutsideTheFolder()),
    ("libraries_are_left_as_they_were", unfair.ReplacesNumpys(home=HOME)),
    ("libraries_are_left_as_they_were", unfair.ReplacesTheScoring(home=HOME)),
    ("works_without_network", unfair.TriesTheNetwork()),
    ("saves_nothing_pickled", unfair.SavesAPickleAsText()),
    ("saves_nothing_pickled", unfair.SavesAPickleAsATensor()),
    ("saves_nothing_pickled", unfair.SavesAZippedPickle()),
    ("process_is_left_as_it_was", unfair.Leaves(home=HOME, key="working folder")),
]


def test_every_check_has_a_method_that_only_it_catches() -> None:
    assert {name for name, _ in CAUGHT} == {check.name for check in CHECKS}


@pytest.mark.parametrize("method", [broken.Words(), broken.Prompt()], ids=lambda method: type(method).__name__)
def test_the_methods_they_are_made_from_pass(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)


@pytest.fixture
def torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.init, "sparse_", torch.nn.init.sparse_)


@pytest.mark.usefixtures("torch_as_it_was")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize(("check", "method"), CAUGHT, ids=lambda part: type(part).__name__)
def test_its_check_catches_it(check: str, method: Method, fresh: FreshProcess) -> None:
    (result,) = check_method(method, fresh=fresh, checks=[check]).results
    assert result.status == "failed"
    assert result.message


@pytest.mark.slow
@pytest.mark.usefixtures("torch_as_it_was")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize(("check", "method"), CAUGHT, ids=lambda part: type(part).__name__)
def test_only_its_check_catches_it(check: str, method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert [result.check for result in report.failures] == [check], str(report)


def test_all_that_is_left_changed_is_named(fresh: FreshProcess) -> None:
    report = check_method(unfair.Leaves(home=HOME), fresh=fresh, checks=["process_is_left_as_it_was"])
    (result,) = report.results
    assert [key for key in unfair.LEFT if key not in result.message] == []


def test_a_method_that_knows_the_toy_by_heart_is_caught_on_another(fresh: FreshProcess) -> None:
    checks = ["learns_a_separable_task"]
    assert check_method(unfair.KnowsTheToy(), fresh=fresh, checks=checks).passed
    assert not check_method(unfair.KnowsTheToy(), fresh=fresh, checks=checks, seed=5).passed


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_only_the_network_check_catches_a_download(server: int, fresh: FreshProcess) -> None:
    report = check_method(broken.NeedsAServer(port=server), fresh=fresh)
    assert [result.check for result in report.failures] == ["works_without_network"], str(report)
    assert "127.0.0.1" in report.failures[0].message
