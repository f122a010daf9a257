"""Two towers (Huang et al., 2022): a text and a template go through lower layers of their own, and meet in the upper.

What comes of the template does not depend on the text, nor on its language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class StateAtMask(NamedTuple):
    """What the towers give, under the name that encoders give it: the state at the template's mask, (rows, 1, d)."""

    last_hidden_state: Tensor


class TwoTowers(nn.Module):
    """An encoder whose lower layers are there twice, both as they were. Embeddings are shared; positions count from the
    first token in each tower; the template stands first where they are joined.

    Args:
        encoder: of BERT's build; its upper layers are taken out of it.
        depth: how many layers are lower ones.
        template: token ids.
        mask: which of them is the mask.
    """

    def __init__(self, encoder: nn.Module, depth: int, template: Sequence[int], mask: int) -> None:
        super().__init__()
        parts: Any = encoder
        layers = parts.encoder.layer
        parts.encoder.layer = layers[:depth]
        self.text = encoder
        self.template_layers: nn.ModuleList = deepcopy(layers[:depth])
        self.upper_layers: nn.ModuleList = layers[depth:]
        self.register_buffer("template", torch.tensor([template]), persistent=False)
        self._mask = mask
        self._template_states: Tensor | None = None

    def train(self, mode: bool = True) -> TwoTowers:
        """Weights may be others afterwards, so what is known of the template is forgotten."""
        self._template_states = None
        super().train(mode)
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> StateAtMask:
        """As an encoder is called, with the ids of texts, (rows, tokens)."""
        from transformers.masking_utils import create_bidirectional_mask

        text: Any = self.text
        states = text(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        template = self._template(len(input_ids)).expand(len(input_ids), -1, -1)
        joined = torch.cat([template, states.last_hidden_state], 1)
        tokens = functional.pad(attention_mask, (template.shape[1], 0), value=1)
        visible: Any = create_bidirectional_mask(config=text.config, inputs_embeds=joined, attention_mask=tokens)
        return StateAtMask(_through(self.upper_layers, joined, visible)[:, self._mask : self._mask + 1])

    def _template(self, rows: int) -> Tensor:
        """The template's states, (rows or 1, tokens, d). While training each text's has dropout of its own; while
        predicting they are computed once.
        """
        if self.training or torch.is_grad_enabled():
            return self._new_template(rows if self.training else 1)
        if self._template_states is None:
            self._template_states = self._new_template(1)
        return self._template_states

    def _new_template(self, rows: int) -> Tensor:
        text: Any = self.text
        embedded = text.embeddings(input_ids=self.get_buffer("template").expand(rows, -1))
        return _through(self.template_layers, embedded, None)


class ClassRows(nn.Module):
    """A language model's head with new rows in its last layer, one a class, which are zero before they are set.

    Args:
        transform: what stands before the last layer of the language model's head.
        width: d.
        classes: how many.
    """

    def __init__(self, transform: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.transform = transform
        self.rows = nn.Linear(width, classes)
        nn.init.zeros_(self.rows.weight)
        nn.init.zeros_(self.rows.bias)

    def forward(self, states: Tensor) -> Tensor:
        """Logits (rows, classes) of states at the mask, (rows, d)."""
        logits: Tensor = self.rows(self.transform(states))
        return logits


def _through(layers: Iterable[nn.Module], states: Tensor, mask: Tensor | None) -> Tensor:
    for layer in layers:
        states = layer(states, mask)
    return states
