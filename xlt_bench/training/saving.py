"""Fitted weights on disk: safetensors and JSON, nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from xlt_bench.method import DevPoint, FitSummary


def save_fit(folder: Path, weights: Mapping[str, Tensor], summary: FitSummary) -> None:
    """Write `weights.safetensors` and `fit.json` into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "weights.safetensors")
    (folder / "fit.json").write_text(json.dumps(asdict(summary), indent=1), encoding="utf-8")


def distinct(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a module's state, each once: some encoders hold their embedding under two names."""
    names: dict[int | str, str] = {}
    for name, tensor in state.items():
        names.setdefault(tensor.data_ptr() if tensor.numel() else name, name)
    return {name: state[name] for name in names.values()}


def load_fit(folder: Path) -> tuple[dict[str, Tensor], FitSummary]:
    """What `save_fit` wrote."""
    plain = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    history = tuple(DevPoint(**point) for point in plain.pop("history"))
    return load_file(folder / "weights.safetensors"), FitSummary(**plain, history=history)
