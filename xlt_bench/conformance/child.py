"""Run by `asking.py` as `python -m xlt_bench.conformance.child`: the checks in a process of their own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from xlt_bench import conformance
from xlt_bench.conformance.asking import Question
from xlt_bench.conformance.checks import check_declared
from xlt_bench.errors import XltBenchError
from xlt_bench.plugins.methods import configure


def answers(question: Question) -> Iterator[dict[str, Any]]:
    """Label and rules, then each result as it comes; or an error of the question."""
    try:
        checks = conformance.selected(question.checks)
        check_declared(question.expected, conformance.CHECKS)
        configured = configure(question.method, question.settings)
        yield {"label": configured.label, "rules": [[check.name, check.meaning] for check in checks]}
        yield from map(asdict, conformance.results_of(configured.method, question.expected, checks, seed=question.seed))
    except XltBenchError as error:
        yield {"error": str(error)}


def main() -> None:
    """Answer the question on standard input; what a method prints goes to standard error."""
    question = Question(**json.loads(sys.stdin.read()))
    sys.path[:] = question.path
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for answer in answers(question):
        print(json.dumps(answer), file=channel, flush=True)
    channel.flush()
    os._exit(0)  # threads that a method left may not hold the process up


if __name__ == "__main__":
    main()
