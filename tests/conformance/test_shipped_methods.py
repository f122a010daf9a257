"""Every shipped method passes every check, with no expected failure."""

from __future__ import annotations

import pytest

from xlt_bench.conformance import CheckReport, FreshProcess, check_method
from xlt_bench.method import Packable
from xlt_bench.plugins.methods import configure
from xlt_bench.plugins.registry import METHODS, entries, qualified

QUICK = {"xpe", "full-finetuning", "ngram-mlp", "majority"}
"""The others differ from one of these in little, and are left to the longer tier."""

ELSEWHERE = {"prompted-endpoint"}
"""Needs a server; checked with a client of the tests' own in `tests/prompting`."""
SHIPPED = [
    entry.name
    for entry in entries(METHODS)
    if qualified(entry).startswith("xlt-bench/") and entry.name not in ELSEWHERE
]
APPLIES = {  # to methods without a backbone, or without chance, not every check does
    "majority": {"other_seed_other_parameters", "learns_a_separable_task"},
    "centroid": {"other_seed_other_parameters", "head_is_trained_and_saved"},
    "linear-probe": {"other_seed_other_parameters", "head_is_trained_and_saved"},
    "ngram-linear": {"other_seed_other_parameters"},
    "nppprompt": {"other_seed_other_parameters", "head_is_trained_and_saved"},
    "prompted-llm": {"other_seed_other_parameters", "head_is_trained_and_saved"},
    "rosprompt-like": {"head_is_trained_and_saved"},
    "spt-verbaliser": {"head_is_trained_and_saved"},
}
WITHOUT_ADAPTING = {"majority", "ngram-mlp", "nppprompt", "prompted-llm"}
WITHOUT_BACKBONE = {"head_is_trained_and_saved", "backbone_stays_frozen", "keeps_to_the_budget"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in SHIPPED])
def test_shipped_methods_pass(name: str, fresh: FreshProcess) -> None:
    method = configure(name, {}).method
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)
    allowed = APPLIES.get(name, set()) | (set() if method.uses_backbone else WITHOUT_BACKBONE)
    allowed |= set() if isinstance(method, Packable) else {"fits_together_as_alone"}
    assert skipped(report) - {"adapt_leaves_the_source_fit"} <= allowed
    assert ("adapt_leaves_the_source_fit" in skipped(report)) == (name in WITHOUT_ADAPTING)


def skipped(report: CheckReport) -> set[str]:
    return {result.check for result in report.results if result.status == "skipped"}


@pytest.mark.slow
def test_a_configuration_of_peft_that_has_no_name_of_its_own(fresh: FreshProcess) -> None:
    pytest.importorskip("peft")
    method = configure("peft", {"config": "LoraConfig", "r": "4", "target_modules": "query,value"}).method
    report = check_method(method, fresh=fresh)
    assert report.passed, str(report)
