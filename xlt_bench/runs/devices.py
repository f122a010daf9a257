"""Which device and precision a run gets."""

from __future__ import annotations

import re

from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.errors import ConfigError

_GIB = 2**30


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


def check_memory(device: str, source: BackboneSource | None) -> None:
    """Refuse a GPU whose memory does not even take the backbone's weights.

    What training takes on top depends on method and batch, and is measured by its first step.

    Raises:
        ConfigError: as said.
    """
    if source is None or not device.startswith("cuda"):
        return
    import torch

    properties = torch.cuda.get_device_properties(torch.device(device))
    check_fits(source, properties.name, properties.total_memory)


def check_fits(source: BackboneSource, gpu: str, memory_bytes: int) -> None:
    """Refuse a GPU of so much memory, as `check_memory` does."""
    weights_bytes = sum(path.stat().st_size for path in source.folder.glob("*.safetensors"))
    if weights_bytes > memory_bytes:
        raise ConfigError(
            f"the weights of backbone {source.name} take {weights_bytes / _GIB:.1f} GiB, and {gpu} has "
            f"{memory_bytes / _GIB:.1f} GiB; take a larger GPU, or a smaller backbone"
        )
