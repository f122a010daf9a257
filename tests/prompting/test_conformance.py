"""Methods that ask a language model pass the kit's checks: a tiny decoder answers the toy task, or a client does."""

from __future__ import annotations

import pytest

from tests.support.offline_endpoint import OfflineEndpoint
from xlt_bench.conformance import FreshProcess, check_method
from xlt_bench.method import Method
from xlt_bench.methods.prompted_llm import PromptedLLM

CENTRAL = (
    "follows_the_protocol",
    "configuration_round_trips",
    "same_seed_same_predictions",
    "learns_a_separable_task",
    "backbone_stays_frozen",
    "loads_the_same_elsewhere",
    "sees_no_answers_and_no_targets",
    "reads_nothing_hidden",
)


@pytest.mark.parametrize("method", [PromptedLLM(), OfflineEndpoint()], ids=lambda method: type(method).__name__)
def test_the_central_checks(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh, checks=CENTRAL)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        PromptedLLM(demonstrations=5),
        PromptedLLM(scoring="answer"),
        PromptedLLM(calibrated=True, per_token=True),
        PromptedLLM(template="file", label_words=True),
    ],
    ids=["demonstrations", "answer", "calibrated", "files"],
)
def test_further_ways_of_asking(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)


@pytest.mark.slow
def test_the_endpoint_with_another_client(fresh: FreshProcess) -> None:
    report = check_method(OfflineEndpoint(), fresh=fresh)
    assert report.passed, str(report)
