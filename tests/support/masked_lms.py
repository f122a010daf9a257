"""Plain transformers in place of the verbaliser: whole models, one text at a time, neighbours by numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForMaskedLM, AutoTokenizer

from xlt_bench.conformance.toy import CLASS_WORDS

WORDS: Mapping[str, tuple[str, ...]] = {label: words[:2] for label, words in CLASS_WORDS.items()}
"""Two label words a class of the toy task, each a token of the tiny models' vocabularies or begun by one of its own."""


class PlainMaskedLm:
    """A masked language model and its tokenizer as transformers loads them."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()

    def scores(
        self,
        texts: Sequence[str],
        words: Mapping[str, Sequence[str]],
        neighbours: int,
        prompt: Tensor | None = None,
    ) -> NDArray[np.float64]:
        """Of whole texts with a mask in them, (texts, classes): NPPrompt as its paper describes it.

        Args:
            texts: with the mask token.
            words: class -> label words.
            neighbours: tokens a word.
            prompt: vectors before the input embeddings, (n, width).
        """
        rows = [self.mask_logits(text, prompt).detach().double().numpy() for text in texts]
        return np.array(
            [[max(self._word(row, word, neighbours) for word in words[label]) for label in words] for row in rows]
        )

    def mask_logits(self, text: str, prompt: Tensor | None = None) -> Tensor:
        """Logits of the vocabulary at the mask, (vocabulary,)."""
        ids = self.tokenizer(text, return_tensors="pt")["input_ids"]
        (place,) = (ids[0] == self.tokenizer.mask_token_id).nonzero()[:, 0].tolist()
        embedded = self.model.get_input_embeddings()(ids)
        vectors = 0 if prompt is None else len(prompt)
        if prompt is not None:
            embedded = torch.cat([prompt[None], embedded], 1)
        mask = torch.ones(embedded.shape[:2], dtype=torch.int64)
        inputs = {"input_ids": ids} if prompt is None else {"inputs_embeds": embedded}
        logits: Tensor = self.model(attention_mask=mask, **inputs).logits[0, vectors + place]
        return logits

    def token_of(self, word: str) -> int:
        """The first token of a word that is more than a blank."""
        pieces = self.tokenizer.tokenize(f" {word}")
        return int(self.tokenizer.convert_tokens_to_ids(next(piece for piece in pieces if piece != "▁")))

    def _word(self, logits: NDArray[np.float64], word: str, neighbours: int) -> float:
        ids, weights = self.nearest(word, neighbours)
        return float((weights * logits[ids]).sum())

    def nearest(self, word: str, neighbours: int) -> tuple[list[int], NDArray[np.float64]]:
        """A word's nearest tokens and the softmax of their cosines."""
        table = self.model.get_input_embeddings().weight.detach().double().numpy()
        directions = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-8)  # that of padding may be zero
        cosines = directions @ directions[self.token_of(word)]
        cosines[self.tokenizer.all_special_ids] = -np.inf
        ids = np.argsort(-cosines)[:neighbours]
        exponentials = np.exp(cosines[ids])
        return ids.tolist(), exponentials / exponentials.sum()
