"""Run by test_reload in a process of its own: load saved methods and write what they predict."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from tests.support.fits import TEST, context, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.plugins.methods import configure


def main(backbone_folder: str, saved: str, threads: str) -> None:
    """Every folder in `saved` is named after a method; `scores.npy` is written beside its weights."""
    torch.set_num_threads(int(threads))
    backbone = Backbone(locate(backbone_folder))
    for folder in sorted(Path(saved).iterdir()):
        given = context(backbone, short(), seed=99)
        fitted = configure(folder.name, {}).method.load(folder, given)
        np.save(folder / "scores.npy", fitted.predict(TEST.examples))


if __name__ == "__main__":
    main(*sys.argv[1:])
