"""Checks of what a fitted method leaves on disk."""

from __future__ import annotations

import numpy as np

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.calls import skipped_if_a_call_fails
from xlt_bench.conformance.faults import CheckFailed
from xlt_bench.conformance.saved_files import fault_of


def loads_the_same_elsewhere(bench: Bench) -> None:
    """Saved, and loaded in a fresh process under another seed, it predicts the same, bit for bit."""
    folder = bench.save(bench.fitted)
    if not any(folder.iterdir()):
        raise CheckFailed("save writes nothing into its folder")
    findings = bench.findings
    if findings.load_error is not None:
        raise CheckFailed(f"in a fresh process, load or predict raises {findings.load_error}")
    scores, reloaded = bench.predict(bench.fitted, bench.probes), findings.scores
    if reloaded is None or not np.array_equal(scores, reloaded, equal_nan=True):
        difference = ""
        if reloaded is not None and reloaded.shape == scores.shape:
            difference = f" (by up to {np.abs(scores - reloaded).max():.2g})"
        raise CheckFailed(f"loaded in a fresh process it predicts differently{difference}; is something not saved?")


def saves_nothing_pickled(bench: Bench) -> None:
    """Saved files hold data that can be read without running code: safetensors, JSON, text, Parquet."""
    with skipped_if_a_call_fails("loads_the_same_elsewhere"):
        folder = bench.save(bench.fitted)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        fault = fault_of(file)
        if fault is not None:
            raise CheckFailed(f"save writes {file.name}, which {fault}; use safetensors and JSON")
