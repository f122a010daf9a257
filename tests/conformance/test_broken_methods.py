"""Every check catches something that no other check does: methods with one thing wrong fail exactly one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import torch

from tests.support import broken_methods as broken
from xlt_bench.conformance import CHECKS, FreshProcess, check_method
from xlt_bench.method import Method

CAUGHT = [
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
]


def test_every_check_has_a_method_that_only_it_catches() -> None:
    assert {name for name, _ in CAUGHT} | {"works_without_network"} == {check.name for check in CHECKS}


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
def test_only_this_check_catches_it(check: str, method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert {result.check: result.message for result in report.failures}.keys() == {check}, str(report)
    assert report.failures[0].message


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_only_the_network_check_catches_a_download(server: int, fresh: FreshProcess) -> None:
    report = check_method(broken.NeedsAServer(port=server), fresh=fresh)
    assert [result.check for result in report.failures] == ["works_without_network"], str(report)
    assert "127.0.0.1" in report.failures[0].message
