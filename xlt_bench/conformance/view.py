"""How a report is shown: a table of rules and outcomes, and how far the checks are while they run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from xlt_bench.conformance.results import CheckReport, Result, Status
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import clean

_STYLES: dict[Status, str] = {"passed": "green", "failed": "red", "expected failure": "yellow", "skipped": "dim"}


def parse_expected(pairs: Sequence[str]) -> dict[str, str]:
    """Split `check=reason` texts.

    Raises:
        ConfigError: a text without `=`, or a check named twice.
    """
    declared: dict[str, str] = {}
    for pair in pairs:
        name, sign, reason = pair.partition("=")
        if not sign:
            raise ConfigError(f"--expect-failure takes CHECK=REASON, not '{pair}'")
        if name in declared:
            raise ConfigError(f"--expect-failure {name} is given twice; give it once")
        declared[name.strip()] = reason.strip()
    return declared


def table_of(report: CheckReport) -> RenderableType:
    """One row a check: outcome, the rule, and why it failed or was skipped."""
    table = Table("outcome", f"check of {clean(report.method)}", header_style="bold")
    for result in report.results:
        table.add_row(Text(result.status, _STYLES[result.status]), _rule(result))
    return Group(table, _summary(report))


def _rule(result: Result) -> Text:
    line = Text.assemble((result.check, "bold"), f"  {result.meaning}")
    if result.message:
        line.append(f"\n{clean(result.message)}", _STYLES[result.status])
    return line


def _summary(report: CheckReport) -> Text:
    counts = ", ".join(f"{report.count(status)} {status}" for status in _STYLES if report.count(status))
    seconds = sum(result.seconds for result in report.results)
    return Text(f"{counts}; {seconds:.1f} s; on the toy of seed {report.seed}", "green" if report.passed else "red")


class CheckProgress:
    """Within its `with`, on a terminal: a line for each check when it is done, and below which one is under way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("starting ...")
        self._checks = self._finished = 0

    def __enter__(self) -> CheckProgress:
        self._status.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._status.stop()

    def begin(self, checks: int) -> None:
        """So many checks are to come."""
        self._checks = checks
        self._status.update(f"check 1 of {checks} ...")

    def add(self, result: Result) -> None:
        """One is done."""
        self._finished += 1
        if self._console.is_terminal:
            self._console.print(Text.assemble((f"{result.status:8}", _STYLES[result.status]), f" {result.check}"))
        self._status.update(f"check {min(self._finished + 1, self._checks)} of {self._checks} ...")
