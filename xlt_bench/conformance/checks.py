"""A check, and how one is carried out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.results import Result, Status
from xlt_bench.errors import ConfigError, XltBenchError, unknown

if TYPE_CHECKING:
    from xlt_bench.conformance.bench import Bench


@dataclass(frozen=True)
class Check:
    """One rule.

    Attributes:
        name: what expected failures are declared by.
        meaning: the rule in one line.
        run: passes, or raises CheckFailed or CheckSkipped.
    """

    name: str
    meaning: str
    run: Callable[[Bench], None]

    @staticmethod
    def of(function: Callable[[Bench], None]) -> Check:
        """A check from a function: its name, and the first line of its docstring."""
        return Check(function.__name__, (function.__doc__ or "").splitlines()[0], function)


def carry_out(check: Check, bench: Bench, expected: str | None) -> Result:
    """Run a check; `expected` is the declared reason why it fails, if it is declared to.

    A declared failure that no longer happens is a failure: the declaration has become untrue.
    """
    started = time.perf_counter()
    status, message = _outcome(check, bench)
    if expected is not None and status == "failed":
        status, message = "expected failure", expected
    elif expected is not None and status == "passed":
        status, message = "failed", f"passes, but is declared as an expected failure ({expected}); take that out"
    return Result(check.name, check.meaning, status, message, round(time.perf_counter() - started, 3))


def _outcome(check: Check, bench: Bench) -> tuple[Status, str]:
    try:
        check.run(bench)
    except CheckSkipped as skipped:
        return "skipped", str(skipped)
    except (CheckFailed, XltBenchError) as failed:
        return "failed", str(failed)
    except Exception as error:  # what a method hands over may raise wherever it is looked at
        return "failed", f"looking at it raises {type(error).__name__}: {error}"
    return "passed", ""


def check_declared(expected_failures: Mapping[str, str], checks: tuple[Check, ...]) -> None:
    """Refuse declared failures of checks that do not exist, or without a reason.

    Raises:
        ConfigError: as said.
    """
    chosen(tuple(expected_failures), checks)
    for name, reason in expected_failures.items():
        if not reason.strip():
            raise ConfigError(f"the expected failure of {name} needs a reason, such as {name}='needs a network'")


def chosen(names: Sequence[str], checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks of these names, in their usual order.

    Raises:
        ConfigError: there is no such check.
    """
    existing = [check.name for check in checks]
    for name in names:
        if name not in existing:
            raise unknown("check", name, existing, ", ".join(existing))
    return tuple(check for check in checks if check.name in names)
