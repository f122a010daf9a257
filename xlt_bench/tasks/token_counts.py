"""How a backbone's tokenizer sees a task's texts: tokens a text, texts that are cut at the limit, unknown tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xlt_bench.task import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CUT_SHARE = 0.05
"""More texts than this share of a language's should not be cut without a word."""

_BATCH = 1000


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of a language's texts, special tokens included.

    Attributes:
        median, longest: tokens a text.
        cut: share of the texts that have more tokens than the limit.
        unknown: share of all tokens that the tokenizer has no piece for.
    """

    median: float
    longest: int
    cut: float
    unknown: float


def token_counts(
    examples: Mapping[str, Sequence[Example]], tokenizer: PreTrainedTokenizerBase, limit: int, prefix: str = ""
) -> dict[str, TokenCounts]:
    """Counts by language, of whole texts and pairs; languages without texts are left out.

    Args:
        limit: tokens of a text that a run keeps.
        prefix: what stands before every text.
    """
    return {code: _counts(items, tokenizer, limit, prefix) for code, items in examples.items() if items}


def too_long(counts: Mapping[str, TokenCounts]) -> dict[str, TokenCounts]:
    """The languages of which more than `CUT_SHARE` of the texts are cut, the worst first."""
    cut = {code: count for code, count in counts.items() if count.cut > CUT_SHARE}
    return dict(sorted(cut.items(), key=lambda entry: -entry[1].cut))


def _counts(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, limit: int, prefix: str) -> TokenCounts:
    lengths: list[int] = []
    unknown = 0
    for ids in _token_ids(examples, tokenizer, prefix):
        lengths.append(len(ids))
        unknown += ids.count(tokenizer.unk_token_id) if tokenizer.unk_token_id is not None else 0
    tokens = np.asarray(lengths)
    return TokenCounts(
        median=float(np.median(tokens)),
        longest=int(tokens.max()),
        cut=float(np.mean(tokens > limit)),
        unknown=unknown / max(1, int(tokens.sum())),
    )


def _token_ids(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, prefix: str) -> Iterable[list[int]]:
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        texts = [prefix + example.text for example in batch]
        pairs = [example.text_pair for example in batch]
        columns = (texts, pairs) if pairs[0] is not None else (texts,)
        # verbose=False: texts longer than the model takes are what is counted here
        yield from tokenizer(*columns, truncation=False, return_attention_mask=False, verbose=False)["input_ids"]
