"""A check, what comes of one, and the report of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.errors import ConfigError, XltBenchError, unknown

if TYPE_CHECKING:
    from xlt_bench.conformance.bench import Bench

Status = Literal["passed", "failed", "expected failure", "skipped"]


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


@dataclass(frozen=True)
class Result:
    """What came of one check; `message` says why it failed or was skipped, or the reason of an expected failure."""

    check: str
    meaning: str
    status: Status
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckReport:
    """What came of all checks of a method."""

    method: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed, other than those declared."""
        return not self.failures

    @property
    def failures(self) -> tuple[Result, ...]:
        """Checks that failed undeclared, and declared ones that pass."""
        return tuple(result for result in self.results if result.status == "failed")

    def count(self, status: Status) -> int:
        """How many checks ended like this."""
        return sum(result.status == status for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"method": self.method, "passed": self.passed, "checks": [asdict(result) for result in self.results]}

    def __str__(self) -> str:
        failures = [f"{result.check}: {result.message}" for result in self.failures]
        return "\n".join(failures or [f"{self.method} passes {self.count('passed')} checks"])


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
    names = [check.name for check in checks]
    for name, reason in expected_failures.items():
        if name not in names:
            raise unknown("check", name, names, ", ".join(names))
        if not reason.strip():
            raise ConfigError(f"the expected failure of {name} needs a reason, such as {name}='needs a network'")
