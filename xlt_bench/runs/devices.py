"""Which device and precision a run gets."""

from __future__ import annotations

import re

from xlt_bench.backbones.source import Precision
from xlt_bench.errors import ConfigError


def choose_device(requested: str | None) -> str:
    """The requested torch device; None: cuda where there is one. ConfigError for one that is not there."""
    if requested == "cpu":
        return requested
    import torch

    available = torch.cuda.is_available()
    if requested is None:
        return "cuda" if available else "cpu"
    if re.fullmatch(r"cuda(:[0-9]+)?", requested) is None:
        raise ConfigError(f"--device takes cpu, cuda or cuda:N, not '{requested}'")
    if not available or int(requested.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"--device {requested}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu"
        )
    return requested


def choose_precision(requested: str, device: str) -> Precision:
    """Of the forward pass on a device, from auto, fp32 or bf16. ConfigError for anything else."""
    if requested not in ("auto", "fp32", "bf16"):
        raise ConfigError(f"--precision takes auto, fp32 or bf16, not '{requested}'")
    if requested == "auto":  # on a CPU every reported score is float32 unless bf16 is asked for
        return "bf16" if device.startswith("cuda") else "fp32"
    return "bf16" if requested == "bf16" else "fp32"
