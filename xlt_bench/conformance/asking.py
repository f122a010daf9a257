"""Asking another process for the checks, so that nothing a method does to its process reaches the one that reports.

The question and the answers are lines of JSON; `child.py` answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from xlt_bench.conformance.results import CheckReport, Result
from xlt_bench.errors import ConfigError


@dataclass(frozen=True)
class Question:
    """What is to be checked, as plain data.

    Attributes:
        method: as for `run --method`.
        settings: hyper-parameters, as texts.
        expected: declared failures with their reasons.
        checks: names of the checks to run; None: all.
        seed: of the toy.
        path: the module search path.
    """

    method: str
    settings: Mapping[str, str]
    expected: Mapping[str, str]
    checks: Sequence[str] | None
    seed: int
    path: Sequence[str] = field(default_factory=lambda: tuple(sys.path))


def check_in_child(
    question: Question, on_start: Callable[[int], None], on_result: Callable[[Result], None]
) -> CheckReport:
    """Check a method in a process of its own.

    Args:
        question: what is to be checked.
        on_start: is told how many checks there are.
        on_result: is told of every result as it comes.

    Raises:
        ConfigError: a wrong question: no such method, setting or check.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "xlt_bench.conformance.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(question)))
        process.stdin.close()
        label, rules, results = question.method, [], []
        for line in process.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise ConfigError(answer["error"])
            if "rules" in answer:
                label, rules = answer["label"], answer["rules"]
                on_start(len(rules))
            else:
                results.append(Result(**answer))
                on_result(results[-1])
    results += _never_reached(rules[len(results) :], process.returncode)
    if not rules:
        raise ConfigError(f"the process of the checks ended (exit code {process.returncode}) before the first of them")
    return CheckReport(label, tuple(results), question.seed)


def _never_reached(rules: Sequence[Sequence[str]], code: int) -> Iterator[Result]:
    """Results of the checks that had not come when the process ended: the first of them ended it."""
    for number, (name, meaning) in enumerate(rules):
        if number == 0:
            yield Result(name, meaning, "failed", f"the process ended in this check (exit code {code})")
        else:
            yield Result(name, meaning, "skipped", "the process had ended before")
