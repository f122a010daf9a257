"""Batches of token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from xlt_bench.errors import MethodError
from xlt_bench.resources.base import undeclared
from xlt_bench.resources.source_parallel import SOURCE_PARALLEL


def tokens_at_once(device: torch.device) -> int:
    """Tokens for one pass, padding counted: on a CPU as many as its caches hold with what the backward pass needs."""
    return 32_768 if device.type == "cuda" else 1_280


@dataclass(frozen=True)
class Origin:
    """Where the rows of a batch come from, for losses and prompts that ask. Tensors have shape (rows,), int64.

    Attributes:
        item: position of the item in its split; views of one item have the same.
        language: index into `languages`.
        languages: language codes.
        groups: a number that items in different languages share if they say the same; None where the method does not
            declare that it uses it.
    """

    item: Tensor
    language: Tensor
    languages: tuple[str, ...]
    groups: Tensor | None = None

    @property
    def parallel(self) -> Tensor:
        """A number that items in different languages share if they say the same.

        Raises:
            MethodError: the method does not declare the resource source-parallel.
        """
        if self.groups is None:
            raise MethodError(undeclared(SOURCE_PARALLEL))
        return self.groups

    def take(self, index: Tensor) -> Origin:
        """That of the rows at these positions."""
        groups = None if self.groups is None else self.groups[index]
        return Origin(self.item[index], self.language[index], self.languages, groups)


@dataclass(frozen=True)
class Batch:
    """Texts of a batch, padded on the right. Tensors lie on the CPU.

    Attributes:
        ids, mask: (rows, tokens), int64; the mask is 1 where there is a token.
        gold: classes, (rows,), int64; None where they are not known.
        segments: which text of a pair a token belongs to, (rows, tokens), int64; None: all of them to the first.
        origin: where the rows come from; None unless a method asks for it.
        modules: of the backbone that each row goes through, (rows,), int64; None where all go through the same.
        blanks: position of the mask token that is to be filled in each row, (rows,), int64: its state is read, whatever
            the read-out; None: as the read-out says.
        rendering: the same rows in a source language, padded to the same length; None where there is none.
    """

    ids: Tensor
    mask: Tensor
    gold: Tensor | None = None
    segments: Tensor | None = None
    origin: Origin | None = None
    modules: Tensor | None = None
    blanks: Tensor | None = None
    rendering: Batch | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: Tensor) -> Batch:
        """The rows at these positions, padded to the longest of them."""
        masks = [self.mask] if self.rendering is None else [self.mask, self.rendering.mask]
        return self._cut(index, max(int(mask[index].sum(1).max()) for mask in masks))

    def _cut(self, index: Tensor, width: int) -> Batch:
        """The first `width` tokens of the rows at these positions."""
        return Batch(
            self.ids[index, :width],
            self.mask[index, :width],
            None if self.gold is None else self.gold[index],
            None if self.segments is None else self.segments[index, :width],
            None if self.origin is None else self.origin.take(index),
            None if self.modules is None else self.modules[index],
            None if self.blanks is None else self.blanks[index],
            None if self.rendering is None else self.rendering._cut(index, width),
        )

    def beside(self, rendering: Batch, pad_id: int) -> Batch:
        """With the same rows in a source language, both padded to one length."""
        width = max(self.ids.shape[1], rendering.ids.shape[1])
        return replace(self.padded(width, pad_id), rendering=rendering.padded(width, pad_id))

    def padded(self, width: int, pad_id: int) -> Batch:
        """Padded to so many tokens."""
        added = (0, width - self.ids.shape[1])
        return replace(
            self,
            ids=functional.pad(self.ids, added, value=pad_id),
            mask=functional.pad(self.mask, added),
            segments=None if self.segments is None else functional.pad(self.segments, added),
        )

    def blocks(self, tokens: int, prompt: int = 0, packed: bool = False) -> list[Batch]:
        """The batch in parts of few enough tokens.

        Args:
            tokens: of a part, `prompt` vectors a text counted: with padding so many at most, but for a longer text by
                itself; without padding on average, so that a part may have about a text more.
            prompt: vectors before each text.
            packed: whether the backbone leaves padding out; else a part has texts of like length, those of one length
                in their order, and a batch that is small enough stays as it is.
        """
        parts = self.block_rows(tokens, prompt, packed)
        return [self] if len(parts) == 1 else [self.take(rows) for rows in parts]

    def block_rows(self, tokens: int, prompt: int = 0, packed: bool = False) -> list[Tensor]:
        """The rows of each block, int64."""
        lengths = self.mask.sum(1)
        if packed:
            return even_parts(prompt + lengths, tokens)
        if len(self) * (prompt + self.ids.shape[1]) <= tokens:
            return [torch.arange(len(self))]
        order = torch.argsort(lengths, stable=True)
        return [order[part] for part in least_padded_runs(lengths[order].tolist(), tokens, prompt)]


def even_parts(lengths: Tensor, tokens: int) -> list[Tensor]:
    """The places of texts, in their order, in parts of about as many tokens each, and so many at most on average."""
    ends = lengths.cumsum(0)
    total = int(ends[-1])
    middles = ends - lengths / 2
    number = (middles * -(-total // tokens) / total).long()
    return [part for part in torch.arange(len(lengths)).split(number.bincount().tolist()) if len(part)]


def runs_of_like_length(lengths: Sequence[int], tokens: int, prompt: int) -> Iterator[slice]:
    """Runs of texts, sorted by length, of at most so many padded tokens; a longer text is a run by itself."""
    start = 0
    for end, length in enumerate(lengths):
        if end > start and (end + 1 - start) * (prompt + length) > tokens:
            yield slice(start, end)
            start = end
    if start < len(lengths):
        yield slice(start, len(lengths))


def least_padded_runs(lengths: Sequence[int], tokens: int, prompt: int) -> list[slice]:
    """Such runs, of all there are those that take least time together: each padded token counts, and each run does.

    A run takes as long, besides its tokens, as a twentieth of the largest one does (measured on two CPU cores with
    e5-small-q4: 50 tokens of 1,280 in float32 and 65 in bfloat16).
    """
    costs, starts = [0], [0]  # of the first texts, so many: what they take at least, and where their last run starts
    for end in range(1, len(lengths) + 1):
        width = prompt + lengths[end - 1]
        most = max(1, tokens // width)
        cost, start = min((costs[start] + (end - start) * width, start) for start in range(max(0, end - most), end))
        costs.append(cost + tokens // 20)
        starts.append(start)
    runs, end = [], len(lengths)
    while end:
        runs.append(slice(starts[end], end))
        end = starts[end]
    return runs[::-1]


def merge(batches: Sequence[Batch], pad_id: int) -> Batch:
    """Ids, mask, segments, modules and blanks of several batches one below the other, padded to the longest."""
    width = max(batch.ids.shape[1] for batch in batches)

    def stacked(parts: Sequence[Tensor], value: int = 0) -> Tensor:
        return torch.cat([functional.pad(part, (0, width - part.shape[1]), value=value) for part in parts])

    segments = None
    if any(batch.segments is not None for batch in batches):
        segments = stacked([torch.zeros_like(b.ids) if b.segments is None else b.segments for b in batches])
    modules = [batch.modules for batch in batches if batch.modules is not None]
    blanks = [batch.blanks for batch in batches if batch.blanks is not None]
    return Batch(
        stacked([batch.ids for batch in batches], pad_id),
        stacked([batch.mask for batch in batches]),
        segments=segments,
        modules=torch.cat(modules) if modules else None,
        blanks=torch.cat(blanks) if blanks else None,
    )
