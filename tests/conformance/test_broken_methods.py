"""Every check catches something that no other check does: methods with one thing wrong fail exactly one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
import torch

from tests.support.faulty_methods import answers, contract, data, randomness, saving, sound, surroundings, training
from xlt_bench.conformance import CHECKS, FreshProcess, check_method
from xlt_bench.method import Method

HOME = os.getpid()
CAUGHT: list[tuple[str, Method]] = [
    ("follows_the_protocol", contract.ForgetsTheSummary()),
    ("configuration_round_trips", contract.DefaultOfTheProcess()),
    ("configuration_round_trips", contract.RewritesItsFields()),
    ("constructor_does_no_work", contract.ComputesWhenMade()),
    ("constructor_does_no_work", contract.ReadsWhenMade()),
    ("constructor_does_no_work", contract.DrawsWhenMade()),
    ("predict_before_fit_is_refused", contract.LoadsNothing()),
    ("predict_before_fit_is_refused", contract.PredictsUnfitted()),
    ("same_seed_same_predictions", randomness.Unseeded()),
    ("other_seed_other_parameters", randomness.AlwaysSeedZero()),
    ("other_seed_other_parameters", randomness.DeniesItsSeed()),
    ("random_state_is_restored", randomness.SeedsEverybody()),
    ("learns_a_separable_task", training.LearnsNothing()),
    ("trainable_parameters_are_true", training.DeclaresTooMany()),
    ("trainable_parameters_are_true", training.ForgetsARole()),
    ("head_is_trained_and_saved", training.RandomHead()),
    ("backbone_stays_frozen", training.LeavesGradientsOn()),
    ("backbone_stays_frozen", training.TouchesAWeight()),
    ("a_second_fit_grows_nothing", surroundings.KeepsEveryFit()),
    ("a_second_fit_grows_nothing", surroundings.KeepsAnArray()),
    ("loads_the_same_elsewhere", saving.LosesPrecision()),
    ("saves_nothing_pickled", saving.SavesAPickle()),
    ("one_finite_row_an_item", answers.DropsDuplicates()),
    ("batches_and_order_change_nothing", answers.CentresOnTheBatch()),
    ("odd_inputs_are_predicted", answers.DividesByZero()),
    ("adapt_leaves_the_source_fit", data.SpoilsTheSource()),
    ("sees_no_answers_and_no_targets", data.PeeksAtAnswers()),
    ("sees_no_answers_and_no_targets", data.ScoresByItemId()),
    ("sees_no_answers_and_no_targets", data.PeeksAtTargets()),
    ("inputs_are_left_as_they_were", data.ShufflesTheGold()),
    ("inputs_are_left_as_they_were", data.KeepsStateInItself()),
    ("libraries_are_left_as_they_were", surroundings.PatchesTorch()),
    ("keeps_to_the_budget", training.TakesMoreSteps()),
    ("keeps_to_the_budget", training.TakesMoreStepsInPacks()),
    ("keeps_to_the_budget", training.TriesTwiceInPacks()),
    ("keeps_to_the_budget", training.TakesMoreStepsToAdapt()),
    ("keeps_to_the_budget", training.TakesLargerBatches()),
    ("summary_is_true", training.SaysFewerSteps()),
    ("summary_is_true", training.SaysHigherAccuracy()),
    ("summary_is_true", training.SelectsNothingThatWas()),
    ("summary_is_true", training.SaysStepsWithoutAny()),
    ("summary_is_true", training.SaysImpossibleAccuracy()),
    ("trainable_parameters_are_true", training.DeclaresNone()),
    ("backbone_stays_frozen", training.RestoresTheBackbone()),
    ("dev_is_not_trained_on", data.LearnsFromDev()),
    ("dev_is_not_trained_on", data.TrainsOnDev()),
    ("batches_and_order_change_nothing", answers.SelfTrains()),
    ("batches_and_order_change_nothing", answers.DependsOnOrderOfMany()),
    ("fits_together_as_alone", randomness.IgnoresSeedsOfPacks()),
    ("fits_the_same_elsewhere", randomness.SeededByTheHour()),
    ("fits_the_same_elsewhere", randomness.SeededByTheFirstFit()),
    ("depends_on_content_alone", randomness.CachesById()),
    ("reads_nothing_hidden", data.ReadsTheEnvironment()),
    ("reads_nothing_hidden", data.ReadsTestLabels()),
    ("prints_nothing", surroundings.Prints(home=HOME)),
    ("leaves_no_files", surroundings.WritesIntoTheWorkingFolder(home=HOME)),
    ("leaves_no_files", surroundings.SavesOutsideTheFolder()),
    ("libraries_are_left_as_they_were", surroundings.ReplacesNumpys(home=HOME)),
    ("libraries_are_left_as_they_were", surroundings.ReplacesTheScoring(home=HOME)),
    ("works_without_network", surroundings.TriesTheNetwork()),
    ("saves_nothing_pickled", saving.SavesAPickleAsText()),
    ("saves_nothing_pickled", saving.SavesAPickleAsATensor()),
    ("saves_nothing_pickled", saving.SavesAZippedPickle()),
    ("process_is_left_as_it_was", surroundings.Leaves(home=HOME, key="working folder")),
]


def test_every_check_has_a_method_that_only_it_catches() -> None:
    assert {name for name, _ in CAUGHT} == {check.name for check in CHECKS}


@pytest.mark.parametrize("method", [sound.Words(), sound.Prompt()], ids=lambda method: type(method).__name__)
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
    report = check_method(surroundings.Leaves(home=HOME), fresh=fresh, checks=["process_is_left_as_it_was"])
    (result,) = report.results
    assert [key for key in surroundings.LEFT if key not in result.message] == []


def test_a_method_that_knows_the_toy_by_heart_is_caught_on_another(fresh: FreshProcess) -> None:
    checks = ["learns_a_separable_task"]
    assert check_method(training.KnowsTheToy(), fresh=fresh, checks=checks).passed
    assert not check_method(training.KnowsTheToy(), fresh=fresh, checks=checks, seed=5).passed


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_only_the_network_check_catches_a_download(server: int, fresh: FreshProcess) -> None:
    report = check_method(surroundings.NeedsAServer(port=server), fresh=fresh)
    assert [result.check for result in report.failures] == ["works_without_network"], str(report)
    assert "127.0.0.1" in report.failures[0].message
