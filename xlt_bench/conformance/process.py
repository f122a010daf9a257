"""Checks of what a method does to the process and the machine that other methods work in."""

from __future__ import annotations

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.faults import CheckFailed


def process_is_left_as_it_was(bench: Bench) -> None:
    """What all methods of a process share stays as it was: torch's modes, folder, streams, warnings, threads, more."""
    bench.require_fit()
    if bench.findings.changed_state:
        raise CheckFailed(
            f"afterwards this is another than before: {', '.join(bench.findings.changed_state)}; put it back"
        )


def prints_nothing(bench: Bench) -> None:
    """Nothing is written to standard output, where commands give their results."""
    bench.require_fit()
    if bench.findings.printed:
        start = bench.findings.printed.splitlines()[0]
        raise CheckFailed(f"it prints '{start}' to standard output; context.progress shows how far it is")


def leaves_no_files(bench: Bench) -> None:
    """No file is left but those that save writes into its folder."""
    bench.require_fit()
    if bench.findings.files:
        raise CheckFailed(f"it leaves {', '.join(bench.findings.files[:3])} ({len(bench.findings.files)} in all)")


def reads_nothing_hidden(bench: Bench) -> None:
    """It reads no environment variable, no data, no results of this package: they are no part of a run's identity."""
    bench.require_fit()
    findings = bench.findings
    if findings.variables:
        listed = ", ".join(findings.variables[:3])
        raise CheckFailed(f"it reads the environment ({listed}); what changes a run is a field of the class")
    if findings.answers:
        raise CheckFailed(f"it reads {', '.join(findings.answers[:3])}, where test labels and results of others lie")
