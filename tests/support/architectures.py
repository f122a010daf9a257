"""Tiny random models of every architecture that is served, each with a tokenizer, as `save_pretrained` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    PreTrainedTokenizerFast,
)

from xlt_bench.backbones.architectures.decoders import DECODERS
from xlt_bench.backbones.architectures.t5 import T5_TYPES
from xlt_bench.conformance.toy import CLASS_WORDS, FILLERS

WORDS = (*FILLERS, *(word for words in CLASS_WORDS.values() for word in words), "river", "quick", "jazz", "xylophone")
"""What the tokenizers are trained on: the toy's words are whole tokens, other lower-case Latin letters can be read."""
POSITIONS = 66
WIDTH = 32
NARROW = 16
"""Input embeddings of types whose embedding size is a number of its own."""

_IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
_USUAL = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_T5 = {"d_model": WIDTH, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 1}
_FEWER_KEYS = {"num_key_value_heads": 2}
_GEMMA = {**_FEWER_KEYS, "head_dim": 8}
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "albert": {**_USUAL, "embedding_size": NARROW},
    "distilbert": {"dim": WIDTH, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": POSITIONS},
    "electra": {**_USUAL, "embedding_size": NARROW},
    "eurobert": {**_USUAL, "mask_token_id": 4},
    "gemma": {**_USUAL, **_GEMMA},
    "gemma2": {**_USUAL, **_GEMMA, "sliding_window": 8},
    "gemma3_text": {**_USUAL, **_GEMMA, "sliding_window": 8},
    "gpt2": {"n_embd": WIDTH, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS},
    "llama": {**_USUAL, **_FEWER_KEYS},
    "luke": {**_USUAL, "entity_vocab_size": 10, "entity_emb_size": 8},
    "mistral": {**_USUAL, **_FEWER_KEYS, "sliding_window": 12},
    "modernbert": {**_USUAL, "cls_token_id": 0, "sep_token_id": 2, "local_attention": 8},
    "mt5": _T5,
    "olmo2": {**_USUAL, **_FEWER_KEYS},
    "phi3": {**_USUAL, **_FEWER_KEYS},
    "qwen2": {**_USUAL, **_FEWER_KEYS},
    "qwen3": {**_USUAL, **_FEWER_KEYS, "head_dim": 8},
    "rembert": {**_USUAL, "input_embedding_size": NARROW, "output_embedding_size": 24},
    "roformer": {**_USUAL, "embedding_size": NARROW},
    "smollm3": {**_USUAL, **_FEWER_KEYS},
    "t5": _T5,
    "umt5": _T5,
    "xlm": {"emb_dim": WIDTH, "n_layers": 2, "n_heads": 4, "max_position_embeddings": POSITIONS},
    "xmod": {**_USUAL, "languages": ["fr_XX", "de_DE"], "default_language": "de_DE"},
}
"""What a configuration of a type is made of; the usual names for all others."""


def tiny_model(folder: Path, model_type: str, changes: Mapping[str, Any] | None = None) -> Path:
    """Write a language model of this type and its tokenizer. Weights are wide, so that every detail shows."""
    tokenizer = tokenizer_with_segments()
    values = {"vocab_size": len(tokenizer), **_IDS, **CONFIGS.get(model_type, _USUAL), **(changes or {})}
    config = AutoConfig.for_model(model_type, **values)
    kind: Any = AutoModelForCausalLM if model_type in DECODERS else AutoModelForMaskedLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = (AutoModelForSeq2SeqLM if model_type in T5_TYPES else kind).from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():  # no bias is zero, no norm is one
                parameter.add_(0.15 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tokenizer_with_segments() -> PreTrainedTokenizerFast:
    """Byte pairs with XLM-R's special tokens; the second text of a pair lies in segment 1, as with BERT's tokenizer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(WORDS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        cls_token="<s>",
        sep_token="</s>",
    )
