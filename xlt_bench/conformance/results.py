"""What comes of checks; imports nothing that a method could have changed, nor anything slow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "expected failure", "skipped"]


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
    """What came of all checks of a method, on the toy of this seed."""

    method: str
    results: tuple[Result, ...]
    seed: int = 0

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
        return {
            "method": self.method,
            "passed": self.passed,
            "seed": self.seed,
            "checks": [asdict(result) for result in self.results],
        }

    def __str__(self) -> str:
        failures = [f"{result.check}: {result.message}" for result in self.failures]
        return "\n".join(failures or [f"{self.method} passes {self.count('passed')} checks"])
