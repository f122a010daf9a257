"""What methods are checked on: a small task with a known answer, and a tiny backbone made for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlt_bench.method import Method
from xlt_bench.plugins.methods import recipe_of
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.task import Example, Labelled

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, XLMRobertaModel

CLASS_WORDS = {
    "animal": ("dog", "cat", "horse"),
    "colour": ("red", "blue", "green"),
    "food": ("bread", "rice", "soup"),
    "body": ("hand", "foot", "ear"),
    "tool": ("hammer", "saw", "nail"),
    "weather": ("rain", "snow", "wind"),
    "clothing": ("shirt", "shoe", "hat"),
}
LABELS = tuple(CLASS_WORDS)
"""Seven: a number that is unlikely to be another dimension of a method's parameters."""

LEARNING_STEPS, SHORT = 60, 6
"""Optimiser steps of a fit that must have learned, and of one that only has to have happened."""

SOURCES = ("eng_Latn", "deu_Latn", "swh_Latn")
TARGETS = ("kat_Geor", "tha_Thai")

_FILLERS = ("the", "of", "and", "see", "my", "old", "now", "here", "two", "this")
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_VOCABULARY = (*_SPECIAL, *_FILLERS, *(word for words in CLASS_WORDS.values() for word in words))
_WIDTH, _HEADS = 32, 4
_RATES = {"prompt": 0.05, "pseudo": 0.05, "encoder": 0.01, "head": 0.02, "backbone": 0.002}
_OTHER_RATE = 0.01


def items(count: int, seed: int, languages: Sequence[str] = SOURCES) -> Labelled:
    """`count` items, evenly over languages and classes: a word of the class among up to three others.

    Every call makes new arrays, so that a method which changes its input spoils nobody else's.
    """
    random = np.random.default_rng(seed)
    gold = random.permutation(np.arange(count) % len(LABELS))
    examples = (
        Example(f"item{seed}-{at}", languages[at % len(languages)], _text(LABELS[answer], random))
        for at, answer in enumerate(gold)
    )
    return Labelled(tuple(examples), gold.astype(np.int64))


def _text(label: str, random: np.random.Generator) -> str:
    words = [str(random.choice(_FILLERS)) for _ in range(random.integers(0, 4))]
    words.insert(int(random.integers(0, len(words) + 1)), str(random.choice(CLASS_WORDS[label])))
    return " ".join(words)


def recipe(method: Method, steps: int) -> Recipe:
    """A budget of `steps`, on sources and target alike, with learning rates at which the tiny model learns in it.

    Args:
        method: it may bring roles of its own.
        steps: optimiser steps; dev is evaluated twice.
    """
    base = recipe_of(method, "cldr")
    phase = Phase(steps=steps, warmup=0.05, patience=20)
    budget = dataclasses.replace(
        base, source=phase, target=phase, batch_size=16, evaluate_every=max(steps // 2, 1), dev_limit=None
    )
    return budget.with_rates(**{role: _RATES.get(role, _OTHER_RATE) for role in budget.rates})


def cell(method: str, hyperparameters: Mapping[str, Any]) -> Cell:
    """A run of a method on this task, for its fingerprint."""
    return Cell(
        task="toy",
        task_hash="toy",
        backbone="tiny",
        backbone_hash="tiny",
        method=method,
        hyperparameters=hyperparameters,
        preset=None,
        recipe=None,
        sources=SOURCES,
        protocol="zero-shot",
        targets=TARGETS,
        precision="fp32",
        seed=0,
    )


def save_backbone(folder: Path) -> None:
    """Write a backbone into a new folder, as `save_pretrained` does: XLM-R with 2 layers, d = 32 and no dropout.

    Nothing is pre-trained. Its weights are random, except that the first dimension of an embedding marks the words that
    matter, the next ones their class, and attention goes to marked words: so a prompt, an adapter or a head finds in
    tens of steps what it would find in a pre-trained model. The caller's random state is left as it was.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import XLMRobertaConfig, XLMRobertaModel

    folder.mkdir(parents=True)
    config = XLMRobertaConfig(
        vocab_size=len(_VOCABULARY),
        hidden_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=_HEADS,
        intermediate_size=48,
        max_position_embeddings=514,
        type_vocab_size=1,
        initializer_range=0.2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(7)
        model = XLMRobertaModel(config, add_pooling_layer=False)
        _mark_words(model)
        _attend_to_marked(model)
    config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})
    _tokenizer().save_pretrained(folder)


def _mark_words(model: XLMRobertaModel) -> None:
    embeddings = model.embeddings
    embeddings.position_embeddings.weight.mul_(0.1)
    table = embeddings.word_embeddings.weight
    table[:, : 1 + len(LABELS)] = 0
    for at, words in enumerate(CLASS_WORDS.values()):
        for word in words:
            table[_VOCABULARY.index(word), [0, 1 + at]] = 1.0


def _attend_to_marked(model: XLMRobertaModel) -> None:
    first_of_head = slice(None, None, _WIDTH // _HEADS)
    for layer in model.encoder.layer:
        layer.get_parameter("attention.self.query.bias")[first_of_head] = 5.0
        key = layer.get_parameter("attention.self.key.weight")
        key[first_of_head] = 0.0
        key[first_of_head, 0] = 1.0


def _tokenizer() -> PreTrainedTokenizerFast:
    """Whole words, with the ids and the template of XLM-R's special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(_VOCABULARY)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
