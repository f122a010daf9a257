"""Cloze templates: what stands around a text, with a mask token that a masked language model is to fill."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from xlt_bench.backbones.tokenised import Ids, Texts, Tokenised
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.texts import shortened
from xlt_bench.resources.template import TEMPLATE, TEXT

FROM_FILE = "file"
"""In place of a template's name: the resource `template` has the text."""
MASK, PAIR = "{mask}", "{pair}"
"""What a template has in the place of the mask token, and of the second text of a pair."""

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "about": f"{TEXT} This is about {MASK}.",
        "kind": f"{TEXT} is a {MASK}.",
        "news": f"A {MASK} news : {TEXT}",
        "sentiment": f"{TEXT} It was {MASK}.",  # as in Gao, Fisch & Chen 2021
        "entailment": f"{TEXT}? {MASK}, {PAIR}",  # as in Schick & Schütze 2021
    }
)
"""By the name that `--set template=` takes."""


def check_name(name: str) -> None:
    """Refuse a name that no template has.

    Raises:
        ConfigError: it, with those that there are.
    """
    if name not in (*TEMPLATES, FROM_FILE):
        listed = f"{', '.join(TEMPLATES)}, or {FROM_FILE} with --resource {TEMPLATE}=FILE"
        raise unknown("template", name, TEMPLATES, listed)


@dataclass(frozen=True)
class Cloze:
    """A template. Texts are cut where they are too long, and nothing else is: the mask is always there, once.

    Attributes:
        pattern: with `{text}` and `{mask}` once, and `{pair}` at most once. Without `{pair}` both texts of a pair stand
            in the place of the first; with it, a text that is no pair leaves it empty.

    Raises:
        ConfigError: one of them is there too often or not at all.
    """

    pattern: str

    def __post_init__(self) -> None:
        for part in (TEXT, MASK, PAIR):
            count = self.pattern.count(part)
            if count > 1 or (not count and part != PAIR):
                raise ConfigError(
                    f"the template '{shortened(self.pattern)}' has {part} {count} times; write it once, such as "
                    f"'{TEMPLATES['about']}'"
                )

    def text(self, first: str, second: str | None, mask_token: str) -> str:
        """The template with a text, or a pair of texts, and the mask token in it."""
        if PAIR not in self.pattern and second is not None:
            first, second = f"{first} {second}", None
        contents = {TEXT: first, PAIR: second or "", MASK: mask_token}
        # in one pass: a text that has `{mask}` in it stays as it is
        return re.sub("|".join(map(re.escape, contents)), lambda match: contents[match.group()], self.pattern)

    def check(self, tokenizer: Any, limit: int) -> None:
        """Refuse a template that by itself fills the limit, or in which the tokenizer reads more than one mask.

        Raises:
            ConfigError: as said.
        """
        (ids,) = _ids(tokenizer, [self.text("", None, tokenizer.mask_token)])
        if len(ids) >= limit:
            raise ConfigError(
                f"the template '{shortened(self.pattern)}' has {len(ids)} tokens and leaves no room for text in "
                f"{limit}; take a shorter template or prompt, or --max-length"
            )
        masks = np.count_nonzero(ids == tokenizer.mask_token_id)
        if masks != 1:
            raise ConfigError(
                f"the tokenizer reads {masks} mask tokens in the template '{shortened(self.pattern)}'; write {MASK} "
                f"once, and '{tokenizer.mask_token}' nowhere"
            )

    def encode(self, tokenizer: Any, texts: Texts, limit: int) -> Tokenised:
        """Ids of the texts in the template, each of at most `limit` tokens, one of them the mask.

        A text that is too long loses tokens at its end, of a pair the longer one first; a mask token that is written
        in a text is taken out of it.

        Raises:
            ConfigError: see `check`.
        """
        self.check(tokenizer, limit)
        mask_id = int(tokenizer.mask_token_id)
        rows = _ids(tokenizer, [self.text(*text, tokenizer.mask_token) for text in texts])
        for number, row in enumerate(rows):
            if len(row) > limit or np.count_nonzero(row == mask_id) != 1:
                parts = [_Part.of(tokenizer, part) for part in texts[number] if part is not None]
                rows[number] = self._cut(tokenizer, parts, limit)
        return Tokenised(tuple(rows), int(tokenizer.pad_token_id))

    def _cut(self, tokenizer: Any, parts: Sequence[_Part], limit: int) -> Ids:
        """The ids with as much of the texts as fits: how many tokens that is, is known for certain afterwards."""
        total = sum(part.tokens for part in parts)
        while True:
            lengths = longest_first([part.tokens for part in parts], total)
            cut = [part.first(length) for part, length in zip(parts, lengths, strict=True)]
            text = self.text(cut[0], cut[1] if len(cut) > 1 else None, tokenizer.mask_token)
            row = _ids(tokenizer, [text])[0]
            if len(row) <= limit or not total:
                return row
            total = max(0, total - (len(row) - limit))


def longest_first(lengths: Sequence[int], total: int) -> list[int]:
    """Lengths of one or two texts cut to this sum: the longer text loses tokens until both are as long."""
    if len(lengths) == 1 or sum(lengths) <= total:
        return [min(length, total) for length in lengths]
    shorter = min(*lengths, total // 2)
    return [shorter, total - shorter] if lengths[0] <= lengths[1] else [total - shorter, shorter]


@dataclass(frozen=True)
class _Part:
    """A text without mask tokens, and where its tokens end in it."""

    text: str
    ends: tuple[int, ...]

    @staticmethod
    def of(tokenizer: Any, text: str) -> _Part:
        """Mask tokens are taken out however they are written: some tokenizers read one in full-width letters too."""
        encoded = _encoded(tokenizer, text)
        spans = [
            span
            for token, span in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
            if token == tokenizer.mask_token_id
        ]
        for start, end in reversed(spans):
            text = f"{text[:start]} {text[end:]}"
        if spans:
            encoded = _encoded(tokenizer, text)
        return _Part(text, tuple(end for _, end in encoded["offset_mapping"]))

    @property
    def tokens(self) -> int:
        """How many it has."""
        return len(self.ends)

    def first(self, tokens: int) -> str:
        """The text up to the end of so many tokens; all of it where it has no more."""
        if tokens >= len(self.ends):
            return self.text
        return self.text[: self.ends[tokens - 1]] if tokens else ""


def _encoded(tokenizer: Any, text: str) -> Any:
    return tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[Ids]:
    """With special tokens, however long."""
    if not texts:
        return []
    encoded = tokenizer(list(texts), return_attention_mask=False, return_token_type_ids=False, verbose=False)
    return [np.asarray(row, np.int64) for row in encoded["input_ids"]]
