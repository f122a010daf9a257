"""Differences of weights that are zero almost everywhere: chosen, stored, added and removed exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.errors import ConfigError

_INDICES, _VALUES = ".indices", ".values"


@dataclass(frozen=True)
class Entries:
    """Of one tensor, read flat: places, int64, and what is added there, float32; both (entries,)."""

    indices: Tensor
    values: Tensor


@dataclass(frozen=True)
class SparseDifference:
    """What is added to some weights, by the name of their tensor."""

    entries: Mapping[str, Entries]

    def __len__(self) -> int:
        return sum(len(part.indices) for part in self.entries.values())

    @staticmethod
    def between(
        start: Mapping[str, Tensor], end: Mapping[str, Tensor], chosen: Mapping[str, Tensor]
    ) -> SparseDifference:
        """End minus start, where the masks of the same names say True."""
        entries = {}
        for name, mask in chosen.items():
            indices = torch.nonzero(mask.flatten())[:, 0]
            entries[name] = Entries(indices, end[name].detach().flatten()[indices] - start[name].flatten()[indices])
        return SparseDifference(entries)

    @contextmanager
    def added(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Within, the weights are changed in place; afterwards they are as before, bit for bit."""
        originals = {}
        for name, part in self.entries.items():
            flat = weights[name].detach().view(-1)
            indices = part.indices.to(flat.device)
            originals[name] = (flat, indices, flat[indices].clone())
        self.add_to(weights)
        try:
            yield
        finally:
            for flat, indices, values in originals.values():
                flat[indices] = values

    def add_to(self, weights: Mapping[str, Tensor]) -> None:
        """Change the weights in place, for good."""
        for name, part in self.entries.items():
            flat = weights[name].detach().view(-1)
            flat[part.indices.to(flat.device)] += part.values.to(flat.device)

    def masks(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Where it has entries, in the shapes of the weights of the same names."""
        masks = {name: torch.zeros_like(value, dtype=torch.bool) for name, value in weights.items()}
        for name, part in self.entries.items():
            masks[name].view(-1)[part.indices.to(masks[name].device)] = True
        return masks

    def tensors(self) -> dict[str, Tensor]:
        """For a file; places as int32, which suffices for tensors of two thousand million weights."""
        indices = {name + _INDICES: part.indices.to("cpu", torch.int32) for name, part in self.entries.items()}
        return indices | {name + _VALUES: part.values.cpu() for name, part in self.entries.items()}

    @staticmethod
    def from_tensors(tensors: Mapping[str, Tensor]) -> SparseDifference:
        """The inverse of `tensors`."""
        names = [name.removesuffix(_INDICES) for name in tensors if name.endswith(_INDICES)]
        return SparseDifference(
            {name: Entries(tensors[name + _INDICES].long(), tensors[name + _VALUES]) for name in names}
        )


def largest(differences: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """Masks, by name, of exactly so many entries: those of the greatest absolute value of all tensors together.

    Among equals the first tensor's first ones are taken.

    Raises:
        ConfigError: there are not so many.
    """
    total = sum(value.numel() for value in differences.values())
    check_count(count, total)
    magnitudes = torch.cat([value.detach().abs().flatten() for value in differences.values()])
    threshold = magnitudes.kthvalue(total - count + 1).values
    chosen = magnitudes > threshold
    equals = torch.nonzero(magnitudes == threshold)[:, 0]
    chosen[equals[: count - int(chosen.sum())]] = True
    parts = chosen.split([value.numel() for value in differences.values()])
    return {name: part.view_as(value) for part, (name, value) in zip(parts, differences.items(), strict=True)}


def check_count(count: int, total: int) -> None:
    """Refuse to choose more weights than there are.

    Raises:
        ConfigError: both numbers.
    """
    if not 1 <= count <= total:
        raise ConfigError(
            f"{count:,} weights are to be changed of the backbone's {total:,} that may be; "
            f"give a number from 1 to {total:,} (--set language_k=..., --set task_k=...)"
        )


def denoised(difference: Tensor, rank: float, keep: float) -> Tensor:
    """A matrix without what looks like noise, after DeFT-X (Simon & Jyothi, 2025); what is no matrix stays.

    Args:
        difference: (rows, columns).
        rank: the leading singular vectors that explain this share of the variance are kept, from 0 to 1.
        keep: of what remains, this share of the entries, the greatest, is kept too, from 0 to 1.
    """
    if difference.ndim != 2:
        return difference
    left_vectors, scales, right_vectors = torch.linalg.svd(difference.float(), full_matrices=False)
    explained = scales.square().cumsum(0) / scales.square().sum().clamp_min(torch.finfo(torch.float32).tiny)
    retained_rank = min(int((explained < rank).sum()) + 1, len(scales)) if rank < 1.0 else len(scales)
    if retained_rank == len(scales):
        return difference
    low_rank: Tensor = (left_vectors[:, :retained_rank] * scales[:retained_rank]) @ right_vectors[:retained_rank]
    residual: Tensor = difference - low_rank
    count = round(keep * residual.numel())
    if not count:
        return low_rank
    entries: Tensor = residual * largest({"": residual}, count)[""]
    return low_rank + entries


@contextmanager
def masked_gradients(parameters: Mapping[str, nn.Parameter], masks: Mapping[str, Tensor]) -> Iterator[None]:
    """Within, gradients are zero where the masks are, before anyone clips them."""
    with ExitStack() as stack:
        for name, parameter in parameters.items():
            stack.callback(parameter.register_hook(masks[name].mul).remove)
        yield
