"""Which device and precision a run gets."""

from __future__ import annotations

import re

from xlt_bench.backbones.source import Precision
from xlt_bench.errors import ConfigError


def choose_device(asked: str | None) -> str:
    """The torch device asked for; None: cuda where there is one. ConfigError for one that is not there."""
    if asked == "cpu":
        return asked
    import torch

    available = torch.cuda.is_available()
    if asked is None:
        return "cuda" if available else "cpu"
    if re.fullmatch(r"cuda(:[0-9]+)?", asked) is None:
        raise ConfigError(f"--device takes cpu, cuda or cuda:N, not '{asked}'")
    if not available or int(asked.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ConfigError(f"--device {asked}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu")
    return asked


def choose_precision(asked: str, device: str) -> Precision:
    """Of the forward pass on a device, from auto, fp32 or bf16. ConfigError for anything else."""
    if asked not in ("auto", "fp32", "bf16"):
        raise ConfigError(f"--precision takes auto, fp32 or bf16, not '{asked}'")
    if asked == "auto":  # on a CPU every reported score is float32 unless bf16 is asked for
        return "bf16" if device.startswith("cuda") else "fp32"
    return "bf16" if asked == "bf16" else "fp32"
