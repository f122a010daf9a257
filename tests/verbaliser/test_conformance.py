"""Methods that fill a mask pass the kit's checks: a tiny masked language model knows the toy task."""

from __future__ import annotations

import pytest

from xlt_bench.conformance import FreshProcess, check_method
from xlt_bench.method import Method
from xlt_bench.methods.nppprompt import NPPrompt
from xlt_bench.methods.rosprompt_like import RoSPromptLike
from xlt_bench.methods.spt_verbaliser import SPTVerbaliser

IN_THIS_PROCESS = ("learns_a_separable_task", "keeps_to_the_budget", "backbone_stays_frozen", "fits_together_as_alone")


def test_the_central_checks() -> None:
    report = check_method(SPTVerbaliser(), checks=IN_THIS_PROCESS)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        NPPrompt(calibration="contextual", template="kind", neighbours=1),
        NPPrompt(calibration="batch", template="file", label_words=True),
        SPTVerbaliser(n_tokens=0),
        SPTVerbaliser(calibration="batch", consistency=1.0),
        RoSPromptLike(label_words=False, penalty=0.0),
    ],
    ids=["contextual", "batch and files", "no vectors", "batch and consistency", "no words, no penalty"],
)
def test_further_settings(method: Method, fresh: FreshProcess) -> None:
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)
