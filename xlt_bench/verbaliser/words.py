"""Label words: the tokens that stand for a task's classes at a mask, and the tokens nearest to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shortened

LABEL_WORDS = "label-words"
"""The resource that has them; without it a class is its own word, or words where its name has slashes."""
_NAMED = 6


@dataclass(frozen=True)
class LabelToken:
    """A word of a class, and the token that stands for it.

    Attributes:
        label: number of the class.
        word: as it was given.
        token: id of the word's first token that is more than a blank, as in NPPrompt's code.
        pieces: how many tokens the word has.
    """

    label: int
    word: str
    token: int
    pieces: int


def words_of(labels: Sequence[str], by_language: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """The words of each class, those of all languages together; without any, what is written in the class's name."""
    if not by_language:
        return {label: [part.replace("_", " ").strip() for part in label.split("/")] for label in labels}
    return {
        label: list(dict.fromkeys(word for words in by_language.values() for word in words[label])) for label in labels
    }


def label_tokens(tokenizer: Any, labels: Sequence[str], words: Mapping[str, Sequence[str]]) -> tuple[LabelToken, ...]:
    """The token of every word, class by class; a token that a class has already is not there again.

    Raises:
        ConfigError: a word that the vocabulary does not know, or a token that stands for two classes.
    """
    tokens: dict[int, LabelToken] = {}
    for number, label in enumerate(labels):
        for word in words[label]:
            entry = _entry(tokenizer, number, word)
            earlier = tokens.setdefault(entry.token, entry)
            if earlier.label != number:
                raise ConfigError(
                    f"the label words '{shortened(earlier.word)}' of class '{shortened(labels[earlier.label])}' and "
                    f"'{shortened(word)}' of '{shortened(label)}' begin with the same token "
                    f"'{tokenizer.convert_ids_to_tokens(entry.token)}' of this backbone; give other words: "
                    f"--set label_words=true --resource {LABEL_WORDS}=FILE"
                )
    return tuple(tokens.values())


def _entry(tokenizer: Any, number: int, word: str) -> LabelToken:
    pieces = tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
    visible = [token for token in pieces if tokenizer.decode([token]).strip()]
    if not visible or visible[0] in tokenizer.all_special_ids:
        raise ConfigError(
            f"the vocabulary of this backbone does not know the label word '{shortened(word)}'; give another: "
            f"--set label_words=true --resource {LABEL_WORDS}=FILE"
        )
    return LabelToken(number, word, int(visible[0]), len(visible))


def cut_words(tokenizer: Any, tokens: Sequence[LabelToken]) -> str:
    """What a reader must know of words of several tokens, a sentence; nothing where there are none."""
    cut = [entry for entry in tokens if entry.pieces > 1]
    if not cut:
        return ""
    listed = ", ".join(f"{entry.word} by {tokenizer.convert_ids_to_tokens(entry.token)}" for entry in cut[:_NAMED])
    more = f" and {len(cut) - _NAMED} more" if len(cut) > _NAMED else ""
    return f"Label words of several tokens are scored by their first: {listed}{more}."


@torch.no_grad()
def nearest(table: Tensor, token: int, count: int, vocabulary: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The tokens whose input embeddings are most like a token's by cosine, itself among them.

    Args:
        table: input embeddings, (tokens, width).
        token: the one to compare with.
        count: how many.
        vocabulary: ids among which they are looked for.

    Returns:
        ids, int64, and weights, the softmax of their cosines, float32; both of shape (count,).
    """
    candidates = torch.tensor(vocabulary, device=table.device)
    lengths = table.float().norm(dim=1).clamp_min(1e-8)
    cosines = (table.float() @ table[token].float() / lengths / lengths[token])[candidates]
    values, places = torch.topk(cosines, count)
    return candidates[places], values.softmax(0)


def vocabulary_of(tokenizer: Any) -> list[int]:
    """Ids of all tokens but special ones."""
    special = set(tokenizer.all_special_ids)
    return [token for token in range(len(tokenizer)) if token not in special]
