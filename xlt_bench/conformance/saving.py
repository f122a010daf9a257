"""Checks of what a fitted method leaves on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file

from xlt_bench.conformance.bench import Bench, elsewhere
from xlt_bench.conformance.faults import CheckFailed

_PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".npy", ".npz")
_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04", b"\x93NUMPY")


def loads_the_same_elsewhere(bench: Bench) -> None:
    """Saved, and loaded in a fresh process under another seed, it predicts the same, bit for bit."""
    folder = bench.save(bench.fitted)
    if not any(folder.iterdir()):
        raise CheckFailed("save writes nothing into its folder")
    told = bench.told
    if told.load_error is not None:
        raise CheckFailed(f"in a fresh process, load or predict raises {told.load_error}")
    here = bench.predict(bench.fitted, bench.probes)
    if told.scores is None or not np.array_equal(here, told.scores, equal_nan=True):
        apart = "" if told.scores is None or told.scores.shape != here.shape else _apart(here, told.scores)
        raise CheckFailed(f"loaded in a fresh process it predicts differently{apart}; is something not saved?")


def _apart(here: np.ndarray, there: np.ndarray) -> str:
    return f" (by up to {np.abs(here - there).max():.2g})"


def saves_nothing_pickled(bench: Bench) -> None:
    """Saved files hold data that can be read without running code: safetensors, JSON, text, Parquet."""
    with elsewhere("loads_the_same_elsewhere"):
        folder = bench.save(bench.fitted)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if _may_be_pickled(file):
            raise CheckFailed(f"save writes {file.name}, which may hold pickled objects; use safetensors and JSON")


def _may_be_pickled(file: Path) -> bool:
    if file.suffix == ".safetensors":
        try:
            load_file(file)
        except SafetensorError:
            return True
        return False
    with file.open("rb") as opened:
        return file.suffix in _PICKLED or opened.read(6).startswith(_STARTS)
