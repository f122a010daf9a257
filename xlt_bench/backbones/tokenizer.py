"""The tokenizer of a backbone, loaded and checked against the embedding before anything runs. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.backbones.folder import first_line
from xlt_bench.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(name: str, folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer as transformers loads it.

    Raises:
        BackboneError: it cannot be loaded.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, use_fast=True, trust_remote_code=False
        )
    except Exception as error:  # transformers and tokenizers raise many unrelated classes, plain Exception among them
        raise BackboneError(
            f"backbone '{name}': {folder} holds no tokenizer that can be loaded ({first_line(error)}); save it again"
        ) from error
    return tokenizer


def check_tokenizer(name: str, tokenizer: PreTrainedTokenizerBase, embedding_rows: int) -> None:
    """Refuse a tokenizer that a fit, or worse the prediction after it, would stumble over.

    Raises:
        BackboneError: no padding token, or a token whose id has no row in the embedding.
    """
    if tokenizer.pad_token_id is None:
        raise BackboneError(
            f"backbone '{name}': its tokenizer has no pad token, which batches need; set tokenizer.pad_token "
            "(a decoder's end-of-text token will do) and save the tokenizer again"
        )
    token, token_id = max(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    if token_id >= embedding_rows:
        raise BackboneError(
            f"backbone '{name}': its tokenizer gives the token '{token[:40]}' id {token_id}, but the embedding has "
            f"{embedding_rows} rows (ids 0 to {embedding_rows - 1}); save the tokenizer that belongs to the model, "
            "or call model.resize_token_embeddings(len(tokenizer)) and save both again"
        )
