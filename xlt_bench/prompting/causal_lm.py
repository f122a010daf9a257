"""A local causal language model: log-likelihoods of continuations, and greedy answers, many prompts at once.

The tokens that all prompts of a call begin with (instructions, demonstrations) go through the model once. Their keys
and values, then those of a prompt, are shared by what follows. That changes rounding and nothing else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import runs_of_like_length

Ids = list[int]

_SHORTEST_PREFIX = 8
"""Tokens that prompts share from which on it pays to keep their keys and values."""


def tokens_at_once(device: torch.device) -> int:
    """Tokens whose keys and values are held at a time; on a CPU some 200 MB of a small model."""
    return 32_768 if device.type == "cuda" else 4_096


@dataclass(frozen=True)
class Continuations:
    """A prompt with what may follow it, as token ids.

    Attributes:
        context: what the prompt and all continuations begin with, at least one token.
        rows: of each continuation, the tokens after the context, at least one.
    """

    context: Ids
    rows: tuple[Ids, ...]

    @property
    def length(self) -> int:
        """Tokens of the context with its longest continuation."""
        return len(self.context) + max(map(len, self.rows))


@dataclass(frozen=True)
class Generated:
    """An answer and its tokens, the one that ends it counted."""

    text: str
    tokens: int


@dataclass(frozen=True)
class _Contexts:
    """Contexts of a batch after their pass.

    Attributes:
        cache: keys and values, padded before each context but its shared prefix.
        mask: (rows, positions of the cache), 1 where there is a token.
        lengths: tokens of each context, (rows,).
        logits: of the token after each context, (rows, vocabulary), float32.
    """

    cache: DynamicCache
    mask: Tensor
    lengths: Tensor
    logits: Tensor


@dataclass
class CausalLM:
    """A backbone's language model, asked in batches.

    Attributes:
        special: whether the tokenizer's own special tokens stand before a prompt; a chat template writes them itself.
        tokens: that go through the model at a time; None: what suits the device.
        prompt_tokens, answer_tokens: of all prompts and answers so far.
    """

    backbone: Backbone
    special: bool = True
    tokens: int | None = None
    prompt_tokens: int = field(default=0, init=False)
    answer_tokens: int = field(default=0, init=False)

    @property
    def room(self) -> float:
        """Tokens that prompt and answer can have together."""
        positions = self.backbone.architecture.positions
        return math.inf if positions is None else positions

    @torch.no_grad()
    def log_likelihoods(self, prompts: Sequence[str], continuations: Sequence[Sequence[str]]) -> list[NDArray[Any]]:
        """Of each prompt's continuations, log-likelihood and number of tokens.

        Args:
            continuations: of each prompt, texts that may follow; they are tokenised together with it, as a whole.

        Returns:
            of each prompt shape (2, continuations), float64: natural logarithms, and tokens; NaN where the prompt with
            its longest continuation is longer than `room`.
        """
        encoded = [self._continued(*pair) for pair in zip(prompts, continuations, strict=True)]
        self.prompt_tokens += sum(len(item.context) for item in encoded)
        results = [np.full((2, len(item.rows)), np.nan) for item in encoded]
        fitting = [row for row, item in enumerate(encoded) if item.length <= self.room]
        prefix = self._prefix([encoded[row].context for row in fitting])
        lengths = {row: encoded[row].length for row in fitting}
        for index in self._batches(lengths, {row: lengths[row] * len(encoded[row].rows) for row in fitting}):
            batch = [encoded[row] for row in index]
            contexts = self._read([item.context for item in batch], prefix)
            for row, scores in zip(index, self._scores(contexts, batch), strict=True):
                results[row] = scores
        return results

    @torch.no_grad()
    def answers(self, prompts: Sequence[str], most_tokens: int) -> list[Generated | None]:
        """The greedy answer to each prompt, at most so many tokens; None where there is no room for it."""
        encoded = [self._ids(prompt) for prompt in prompts]
        self.prompt_tokens += sum(map(len, encoded))
        fitting = [row for row, ids in enumerate(encoded) if len(ids) + most_tokens <= self.room]
        prefix = self._prefix([encoded[row] for row in fitting])
        results: list[Generated | None] = [None] * len(encoded)
        lengths = {row: len(encoded[row]) + most_tokens for row in fitting}
        for index in self._batches(lengths, lengths):
            contexts = self._read([encoded[row] for row in index], prefix)
            for row, ids in zip(index, self._continue(contexts, most_tokens), strict=True):
                text = self.backbone.tokenizer.decode(ids, skip_special_tokens=True)
                results[row] = Generated(str(text), len(ids))
                self.answer_tokens += len(ids)
        return results

    def _ids(self, text: str) -> Ids:
        ids: Ids = self.backbone.tokenizer(text, add_special_tokens=self.special)["input_ids"]
        return ids

    def _continued(self, prompt: str, continuations: Sequence[str]) -> Continuations:
        joint_ids = [self._ids(prompt + continuation) for continuation in continuations]
        context = _common([self._ids(prompt), *joint_ids])
        # a tokenizer may join a prompt's last letters with a continuation's first: then they belong to the latter
        size = max(1, min([len(context), *(len(ids) - 1 for ids in joint_ids)]))
        return Continuations(joint_ids[0][:size], tuple(ids[size:] for ids in joint_ids))

    def _prefix(self, contexts: Sequence[Ids]) -> tuple[int, DynamicCache]:
        """How many tokens all contexts begin with, less the last of the shortest; and their keys and values."""
        cache = DynamicCache()
        if len(contexts) < 2:
            return 0, cache
        shared = _common(contexts)
        shared = shared[: min(len(shared), min(map(len, contexts)) - 1)]
        if len(shared) < _SHORTEST_PREFIX:
            return 0, cache
        ids = torch.tensor([shared], device=self.backbone.device)
        self.backbone.causal_lm(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return len(shared), cache

    def _batches(self, lengths: Mapping[int, int], widths: Mapping[int, int]) -> Iterator[list[int]]:
        """Rows of like width, of at most so many tokens together; by themselves those that are longer than a window.

        A window of attention is counted in places of the cache, and padding takes some.

        Args:
            lengths: of each row, tokens of its prompt with what follows.
            widths: of each row, tokens of its prompt with each of several continuations.
        """
        config: Any = self.backbone.causal_lm.config
        window = getattr(config, "sliding_window", None) or math.inf
        yield from ([row] for row, length in lengths.items() if length > window)
        order = sorted((row for row, length in lengths.items() if length <= window), key=lambda row: widths[row])
        limit = self.tokens or tokens_at_once(self.backbone.device)
        for part in runs_of_like_length([widths[row] for row in order], limit, 0):
            yield order[part]

    def _read(self, contexts: Sequence[Ids], prefix: tuple[int, DynamicCache]) -> _Contexts:
        """Let contexts through the model, padded on the left after what they share."""
        shared, shared_cache = prefix
        device, rows = self.backbone.device, len(contexts)
        width = max(map(len, contexts)) - shared
        ids = torch.full((rows, width), self.backbone.pad_id)
        mask = torch.zeros(rows, width, dtype=torch.long)
        for row, context in enumerate(contexts):
            remainder = context[shared:]
            ids[row, width - len(remainder) :] = torch.tensor(remainder)
            mask[row, width - len(remainder) :] = 1
        positions = (shared + mask.cumsum(1) - 1).clamp_min(0)
        mask = torch.cat([torch.ones(rows, shared, dtype=torch.long), mask], 1).to(device)
        cache = copy.deepcopy(shared_cache)
        if shared:
            cache.batch_repeat_interleave(rows)
        outputs = self.backbone.causal_lm(
            input_ids=ids.to(device),
            attention_mask=mask,
            position_ids=positions.to(device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        lengths = torch.tensor([len(context) for context in contexts], device=device)
        return _Contexts(cache, mask, lengths, outputs.logits[:, -1].float())

    def _scores(self, contexts: _Contexts, batch: Sequence[Continuations]) -> Iterator[NDArray[Any]]:
        """Log-likelihood and tokens of each continuation, (2, continuations) a row of the batch."""
        first = contexts.logits.log_softmax(1)
        sums = [[float(first[row, ids[0]]) for ids in item.rows] for row, item in enumerate(batch)]
        longer = [
            (row, column) for row, item in enumerate(batch) for column, ids in enumerate(item.rows) if len(ids) > 1
        ]
        if longer:
            addends = self._later(
                contexts, [row for row, _ in longer], [batch[row].rows[column] for row, column in longer]
            )
            for (row, column), addend in zip(longer, addends, strict=True):
                sums[row][column] += addend
        for item, of_row in zip(batch, sums, strict=True):
            yield np.array([of_row, [len(ids) for ids in item.rows]], float)

    def _later(self, contexts: _Contexts, rows: Sequence[int], continuations: Sequence[Ids]) -> list[float]:
        """Summed log-likelihood of all tokens of continuations but the first, each after the context in a row."""
        device, index = self.backbone.device, torch.tensor(rows, device=self.backbone.device)
        width = max(map(len, continuations)) - 1
        ids = torch.full((len(rows), width), self.backbone.pad_id)
        targets = torch.zeros(len(rows), width, dtype=torch.long)
        present = torch.zeros(len(rows), width, dtype=torch.long)
        for row, continuation in enumerate(continuations):
            size = len(continuation) - 1
            ids[row, :size] = torch.tensor(continuation[:-1])
            targets[row, :size] = torch.tensor(continuation[1:])
            present[row, :size] = 1
        ids, targets, present = ids.to(device), targets.to(device), present.to(device)
        cache = copy.deepcopy(contexts.cache)
        cache.batch_select_indices(index)
        outputs = self.backbone.causal_lm(
            input_ids=ids,
            attention_mask=torch.cat([contexts.mask[index], present], 1),
            position_ids=contexts.lengths[index, None] + torch.arange(width, device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=width,
        )
        logs = outputs.logits.float().log_softmax(2).gather(2, targets[..., None]).squeeze(2)
        sums: list[float] = (logs.double() * present).sum(1).tolist()
        return sums

    def _continue(self, contexts: _Contexts, most_tokens: int) -> list[Ids]:
        """The most likely token, then that after it, until one ends the answer; (rows) of token ids."""
        rows, device = len(contexts.lengths), self.backbone.device
        answers: list[Ids] = [[] for _ in range(rows)]
        ended = torch.zeros(rows, dtype=torch.bool, device=device)
        mask, logits = contexts.mask, contexts.logits
        endings = torch.tensor(sorted(self._endings), device=device)
        for step in range(most_tokens):
            chosen = logits.argmax(1)
            for row in torch.nonzero(~ended).flatten().tolist():
                answers[row].append(int(chosen[row]))
            ended |= torch.isin(chosen, endings)
            if step + 1 == most_tokens or bool(ended.all()):
                break
            mask = torch.cat([mask, torch.ones(rows, 1, dtype=torch.long, device=device)], 1)
            logits = (
                self.backbone.causal_lm(
                    input_ids=chosen[:, None],
                    attention_mask=mask,
                    position_ids=contexts.lengths[:, None] + step,
                    past_key_values=contexts.cache,
                    use_cache=True,
                )
                .logits[:, -1]
                .float()
            )
        return answers

    @property
    def _endings(self) -> set[int]:
        """Tokens that end an answer, by the tokenizer, the model's configuration and its generation_config.json."""
        model: Any = self.backbone.causal_lm
        endings: set[int] = set()
        for source in (self.backbone.tokenizer, model.config, model.generation_config):
            tokens = source.eos_token_id
            endings.update(tokens if isinstance(tokens, list | tuple) else [] if tokens is None else [tokens])
        return endings


def _common(sequences: Sequence[Ids]) -> Ids:
    """What all sequences begin with."""
    size = next(
        (place for place, tokens in enumerate(zip(*sequences, strict=False)) if len(set(tokens)) > 1),
        min(map(len, sequences)),
    )
    return sequences[0][:size]
