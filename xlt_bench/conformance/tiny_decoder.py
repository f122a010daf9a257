"""A decoder of Llama's architecture, made in a moment, for methods that ask a language model: nothing is pre-trained.

It answers the toy task: attention looks for the word that tells the class, and the language-model head names the
class. So what a method does with prompts, label words and scores shows in its answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.conformance.tiny_backbone import toy_tokenizer, toy_vocabulary
from xlt_bench.conformance.toy import CLASS_WORDS, LABELS

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

_WIDTH, _HEADS, _POSITIONS = 32, 4, 8_192
_HEAD_WIDTH = _WIDTH // _HEADS
_MARK = 0
"""The dimension of an embedding that marks a word which tells a class; the next ones tell which, then come answers."""
_CLASS = slice(1, 1 + len(LABELS))
_ANSWER = slice(1 + len(LABELS), 1 + 2 * len(LABELS))
_SLOWEST = _HEAD_WIDTH // 2 - 1
"""Dimension of a head that rotary positions turn least: what is compared there is the same at every distance."""


def save_decoder(folder: Path) -> None:
    """Write a causal language model of one layer and its tokenizer into a folder, as `save_pretrained` does.

    The caller's random state is left as it was.

    Args:
        folder: is made if it is not there.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = toy_vocabulary(LABELS)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=_HEADS,
        num_key_value_heads=_HEADS,
        intermediate_size=48,
        max_position_embeddings=_POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": 1e12},
        attention_bias=True,
        initializer_range=0.05,
        tie_word_embeddings=False,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        architectures=["LlamaForCausalLM"],
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(7)
        model = LlamaForCausalLM(config)
        _mark_words(model, vocabulary)
        _attend_to_marked(model)
        _name_the_class(model, vocabulary)
    config.save_pretrained(folder)  # model.save_pretrained would show a progress bar
    save_file(dict(model.state_dict()), folder / "model.safetensors", {"format": "pt"})
    toy_tokenizer(vocabulary, special=False).save_pretrained(folder)


def _mark_words(model: LlamaForCausalLM, vocabulary: tuple[str, ...]) -> None:
    """Words that tell a class have a mark and the class; no other token has anything there."""
    table = model.model.embed_tokens.weight
    table[:, : _ANSWER.stop] = 0.0
    for number, words in enumerate(CLASS_WORDS.values()):
        for word in words:
            table[vocabulary.index(word), [_MARK, _CLASS.start + number]] = 1.0


def _attend_to_marked(model: LlamaForCausalLM) -> None:
    """Every position asks for marks, and writes the classes of marked words where answers are read."""
    attention = model.model.layers[0].self_attn
    slowest = slice(_SLOWEST, None, _HEAD_WIDTH)
    query, key, value, output = (attention.get_parameter(f"{name}_proj.weight") for name in ("q", "k", "v", "o"))
    attention.get_parameter("q_proj.bias")[slowest] = 8.0
    key[slowest] = 0.0
    key[slowest, _MARK] = 4.0
    query[slowest] = 0.0
    value[: len(LABELS)] = 0.0
    output[_ANSWER] = 0.0
    for number in range(len(LABELS)):
        value[number, _CLASS.start + number] = 1.0
        output[_ANSWER.start + number, number] = 1.0


def _name_the_class(model: LlamaForCausalLM, vocabulary: tuple[str, ...]) -> None:
    """The name of each class is what follows where its answer was written; the layer's other part writes nothing."""
    model.model.layers[0].get_parameter("mlp.down_proj.weight").zero_()
    head = model.lm_head.weight
    head[:, _ANSWER] = 0.0
    for number, label in enumerate(LABELS):
        head[vocabulary.index(label), _ANSWER.start + number] = 4.0
