"""Checks of a method as an object that has not been fitted."""

from __future__ import annotations

import json
from collections.abc import Callable

from xlt_bench.conformance import toy
from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.calls import calling
from xlt_bench.conformance.faults import CheckFailed
from xlt_bench.method import FitSummary, Method
from xlt_bench.plugins import hyperparameters


def follows_the_protocol(bench: Bench) -> None:
    """The class is a Method, and fit returns a Fitted with predict, save and a FitSummary."""
    if not isinstance(bench.method, Method):
        lacking = [part for part in ("uses_backbone", "fit", "load") if not hasattr(bench.method, part)]
        raise CheckFailed(f"{type(bench.method).__name__} lacks {', '.join(lacking)}")
    fitted = bench.first_fit
    if isinstance(fitted, CheckFailed):
        raise CheckFailed(str(fitted))
    lacking = [part for part in ("predict", "save", "summary") if not hasattr(fitted, part)]
    if lacking:
        raise CheckFailed(f"what fit returns ({type(fitted).__name__}) lacks {', '.join(lacking)}")
    if not isinstance(fitted.summary, FitSummary):
        raise CheckFailed(f"the summary of a fitted object is {type(fitted.summary).__name__}, not a FitSummary")


def configuration_round_trips(bench: Bench) -> None:
    """Hyper-parameters survive JSON, and a fresh process gives them and the run's fingerprint alike."""
    cls, values = type(bench.method), hyperparameters.values(bench.method)
    with calling(f"{cls.__name__} from its own values"):
        again = hyperparameters.values(cls(**json.loads(json.dumps(values))))
    _same(values, again, "built again from its own values")
    _same(values, bench.findings.values, "in a fresh process")
    if toy.cell(bench.name, values).fingerprint != bench.findings.fingerprint:
        raise CheckFailed("a fresh process gives the same hyper-parameters another fingerprint")


def _same(values: object, again: object, where: str) -> None:
    if values != again:
        raise CheckFailed(f"the hyper-parameters are {values}, but {where} {again}")


def constructor_does_no_work(bench: Bench) -> None:
    """Constructing keeps the fields and nothing else: no file, process, network, random draw or long computation."""
    if bench.findings.constructor:
        raise CheckFailed(f"the constructor {', '.join(bench.findings.constructor)}; leave work to fit")


def predict_before_fit_is_refused(bench: Bench) -> None:
    """Without a fit there is no prediction: none from the method itself, none from an empty folder."""
    method, folder = bench.method, bench.folder / "empty"
    folder.mkdir(exist_ok=True)
    if _answers(lambda: method.predict(bench.probes)):  # type: ignore[attr-defined]
        raise CheckFailed("the unfitted method predicts; what fit returns is a thing of its own")
    if _answers(lambda: method.load(folder, bench.context()).predict(bench.probes)):
        raise CheckFailed("load of a folder in which nothing was saved gives something that predicts; it must raise")


def _answers(call: Callable[[], object]) -> bool:
    try:
        call()
    except (Exception, SystemExit):
        return False
    return True
