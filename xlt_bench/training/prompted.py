"""Prompts before a frozen backbone: the forward pass of several at once, and the gradients of their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch, merge, tokens_at_once
from xlt_bench.recipe import ReadOut
from xlt_bench.training.losses import CROSS_ENTROPY, Loss, Outputs, Terms, backward, gold_of, mean_cross_entropy


@dataclass(frozen=True)
class PromptedTexts:
    """What a prompt that depends on the item is made from.

    Attributes:
        words: input embeddings of the texts' tokens, (rows, tokens, prompt width), without a gradient.
        mask: (rows, tokens), 1 where there is a token.
        languages: code of each row; when predicting, codes that were not among the sources.
    """

    words: Tensor
    mask: Tensor
    languages: tuple[str, ...]


class Prompted(nn.Module):
    """What is trained: the prompt's module and a head, such as the classification head.

    Args:
        prompt: gives the prompt, (n, prompt width); with `per_item`, given PromptedTexts, (rows, n, prompt width).
        head: maps what is read of the hidden states, (rows, head width), to scores of the classes, (rows, classes).
        per_item: whether the prompt depends on the item.
    """

    def __init__(self, prompt: nn.Module, head: nn.Module, per_item: bool = False) -> None:
        super().__init__()
        self.prompt = prompt
        self.head = head
        self.per_item = per_item

    def prompt_of(self, batch: Batch, backbone: Backbone) -> Tensor:
        """The prompt before these texts: one for all, (n, prompt width), or one a row, (rows, n, prompt width)."""
        prompt: Tensor = self.prompt(texts_of(batch, backbone)) if self.per_item else self.prompt()
        return prompt


class NoPrompt(nn.Module):
    """A prompt of no vectors, so that position 0 holds the text's own first token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("empty", torch.zeros(0, width), persistent=False)

    def forward(self) -> Tensor:
        """Shape (0, d)."""
        empty: Tensor = self.get_buffer("empty")
        return empty


@torch.no_grad()
def texts_of(batch: Batch, backbone: Backbone) -> PromptedTexts:
    """What a prompt that depends on the item is made from."""
    assert batch.origin is not None, "batches of splits and of predictions say where their rows come from"
    words = backbone.embed(batch).float()
    codes = tuple(batch.origin.languages[number] for number in batch.origin.language.tolist())
    return PromptedTexts(words, batch.mask.to(words.device), codes)


class PromptedForward:
    """Forward pass of several modules at once: batches one below the other, each behind its own prompt.

    Args:
        backbone: frozen, shared by all.
        pad_id: of the tokenizer.
        read_out: the state that heads read.
        loss: a loss that sees whole batches; None: mean cross entropy, block by block.
    """

    def __init__(self, backbone: Backbone, pad_id: int, read_out: ReadOut = "first", loss: Loss | None = None) -> None:
        self._backbone = backbone
        self._pad_id = pad_id
        self._read_out = read_out
        self._loss = loss

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (rows, classes), one tensor a module."""
        prompted = self._in_mode(modules)
        prompts = [module.prompt_of(batch, self._backbone) for module, batch in zip(prompted, batches, strict=True)]
        hidden = self.hidden(prompts, batches)
        return [module.head(states) for module, states in zip(prompted, hidden, strict=True)]

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        """Add the gradient of each module's loss to its parameters; the terms of these losses, detached."""
        prompted = self._in_mode(modules)
        if self._loss is None and not prompted[0].per_item:
            return self._cross_entropy_gradients(prompted, batches)
        loss = self._loss or mean_cross_entropy
        outputs = self._outputs(prompted, batches)
        return backward([loss(output, batch) for output, batch in zip(outputs, batches, strict=True)])

    def _cross_entropy_gradients(self, modules: Sequence[Prompted], batches: Sequence[Batch]) -> list[Terms]:
        """Each prompt is computed once. Behind it, a batch of a single module goes through the backbone forward and
        backward in blocks (see `Batch.blocks`), one after the other.
        """
        prompts = [module.prompt() for module in modules]
        leaves = [prompt.detach().requires_grad_(prompt.requires_grad) for prompt in prompts]
        losses = [torch.zeros((), device=self._backbone.device) for _ in modules]
        for blocks in self._blocks(batches, len(leaves[0])):
            hidden = self.hidden(leaves, blocks)
            parts = [
                functional.cross_entropy(module.head(states), gold_of(block).to(states.device), reduction="sum")
                / len(batch)
                for module, states, block, batch in zip(modules, hidden, blocks, batches, strict=True)
            ]
            torch.stack(parts).sum().backward()
            losses = [loss + part.detach() for loss, part in zip(losses, parts, strict=True)]
        for prompt, leaf in zip(prompts, leaves, strict=True):
            if leaf.grad is not None:
                prompt.backward(leaf.grad)
        return [{CROSS_ENTROPY: loss} for loss in losses]

    def _outputs(self, modules: Sequence[Prompted], batches: Sequence[Batch]) -> list[Outputs]:
        """Outputs of whole batches, with a gradient; that of a single module goes through the backbone in blocks."""
        prompts = [module.prompt_of(batch, self._backbone) for module, batch in zip(modules, batches, strict=True)]
        single = len(batches) == 1
        hidden = [self._hidden_in_blocks(prompts[0], batches[0])] if single else self.hidden(prompts, batches)
        return [
            Outputs(module.head(states), states, module, prompt)
            for module, states, prompt in zip(modules, hidden, prompts, strict=True)
        ]

    def _hidden_in_blocks(self, prompt: Tensor, batch: Batch) -> Tensor:
        rows = batch.block_rows(tokens_at_once(self._backbone.device), prompt.shape[-2], self._packs)
        states = []
        for part in rows:
            part_prompt = prompt if prompt.ndim == 2 else prompt[part.to(prompt.device)]
            states += self.hidden([part_prompt], [batch.take(part)])
        return torch.cat(states)[torch.argsort(torch.cat(rows)).to(states[0].device)]

    def hidden(self, prompts: Sequence[Tensor], batches: Sequence[Batch]) -> list[Tensor]:
        """What the head reads, (rows, head width) in float32, one tensor a prompt.

        Args:
            prompts: one for all rows of its batch, (n, prompt width), or one a row, (rows, n, prompt width).
            batches: one a prompt.
        """
        lean, read_out = self._backbone.lean, self._read_out
        vectors, sizes = prompts[0].shape[-2], [len(batch) for batch in batches]
        if lean is not None and not lean.training and all(batch is batches[0] for batch in batches):
            words = lean.words(batches[0], vectors)
            return [lean(*_by_row(prompt, sizes[0]), words, read_out) for prompt in prompts]
        merged = merge(batches, self._pad_id)
        if lean is not None:
            by_row = [_by_row(prompt, size) for prompt, size in zip(prompts, sizes, strict=True)]
            different = [prompt for rows, _ in by_row for prompt in rows]
            counts = [count for _, row_counts in by_row for count in row_counts]
            return list(lean(different, counts, lean.words(merged, vectors), read_out).split(sizes))
        row_prompts = torch.cat([prompt.expand(size, -1, -1) for prompt, size in zip(prompts, sizes, strict=True)])
        return list(self._backbone.hidden(row_prompts, merged, read_out).split(sizes))

    def _blocks(self, batches: Sequence[Batch], vectors: int) -> list[Sequence[Batch]]:
        if len(batches) > 1:
            return [batches]
        tokens = tokens_at_once(self._backbone.device)
        return [[block] for block in batches[0].blocks(tokens, vectors, self._packs)]

    @property
    def _packs(self) -> bool:
        """Whether texts go through the backbone without padding."""
        return self._backbone.lean is not None and self._backbone.lean.packs

    def _in_mode(self, modules: Sequence[nn.Module]) -> list[Prompted]:
        # peft leaves the frozen backbone in train mode while fitting, so its own dropout is active
        prompted = [module for module in modules if isinstance(module, Prompted)]
        if self._backbone.frozen.training != prompted[0].training:
            self._backbone.frozen.train(prompted[0].training)
        return prompted


def _by_row(prompt: Tensor, rows: int) -> tuple[list[Tensor], list[int]]:
    """Different prompts, each (n, prompt width), and how many rows stand behind each."""
    return ([prompt], [rows]) if prompt.ndim == 2 else (list(prompt.unbind(0)), [1] * rows)
