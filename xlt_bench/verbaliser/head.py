"""The verbaliser (NPPrompt; Zhao et al., ACL 2023): scores of classes from what a masked language model says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.training.prompted import PromptedForward
from xlt_bench.verbaliser.words import LabelToken, nearest, vocabulary_of

_ROWS = 256
"""States that go through the vocabulary at once."""


class Verbaliser(nn.Module):
    """Maps states of masks to scores of classes through the backbone's frozen masked language model head.

    The score of a word is the weighted mean of the logits of its nearest tokens; that of a class, the greatest of its
    words.

    Args:
        backbone: whose head it is.
        tokens: those of the label words.
        neighbours: tokens a word, itself included.
    """

    def __init__(self, backbone: Backbone, tokens: Sequence[LabelToken], neighbours: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.label_tokens = tuple(tokens)
        table = backbone.encoder.get_input_embeddings().get_parameter("weight")
        vocabulary = vocabulary_of(backbone.tokenizer)
        columns = [nearest(table, entry.token, neighbours, vocabulary) for entry in tokens]
        self.register_buffer("ids", torch.stack([ids for ids, _ in columns]), persistent=False)
        self.register_buffer("weights", torch.stack([weights for _, weights in columns]), persistent=False)
        labels = range(1 + max(entry.label for entry in tokens))
        self._words_of = [[row for row, entry in enumerate(tokens) if entry.label == label] for label in labels]

    def __deepcopy__(self, memo: dict[int, Any]) -> Verbaliser:
        """Itself: nothing in it is trained, and a copy would have a backbone of its own."""
        return self

    def vocabulary_logits(self, states: Tensor) -> Tensor:
        """Logits of all tokens, (rows, vocabulary), float32."""
        logits: Tensor = self.backbone.lm_head(states)
        return logits.float()

    def forward(self, states: Tensor) -> Tensor:
        """Scores, (rows, classes), of states (rows, head width)."""
        ids, weights = self.get_buffer("ids"), self.get_buffer("weights")
        words = torch.cat(
            [(self.vocabulary_logits(part)[:, ids] * weights).sum(-1) for part in states.split(_ROWS)]
        )  # (rows, words)
        return torch.stack([words[:, members].amax(1) for members in self._words_of], 1)

    @torch.no_grad()
    def states_without_prompt(self, batch: Batch) -> Tensor:
        """What is read of a batch's texts behind no prompt and without dropout, (rows, head width)."""
        frozen, training = self.backbone.frozen, self.backbone.frozen.training
        empty = torch.zeros(0, self.backbone.architecture.prompt_width, device=self.backbone.device)
        frozen.eval()
        try:
            return PromptedForward(self.backbone, self.backbone.pad_id).hidden([empty], [batch])[0]
        finally:
            frozen.train(training)

    def report(self, labels: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
        """Class -> word -> its nearest tokens with their weights, rounded to four digits."""
        ids, weights = self.get_buffer("ids"), self.get_buffer("weights")
        described: dict[str, dict[str, dict[str, float]]] = {label: {} for label in labels}
        for entry, row, shares in zip(self.label_tokens, ids.tolist(), weights.tolist(), strict=True):
            names = self.backbone.tokenizer.convert_ids_to_tokens(row)
            described[labels[entry.label]][entry.word] = {
                name: round(share, 4) for name, share in zip(names, shares, strict=True)
            }
        return described
