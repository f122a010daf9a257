"""What both sides of `benchmarks.peers` work on: a backbone folder, and sentences as long as a benchmark's.

The sentences are names out of cldr's train split, strung together until they have as many tokens as a sentence of a
topic-classification benchmark: about 55 of nano's on average, a long tail to the right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM

from xlt_bench.backbones.source import locate
from xlt_bench.task import Example, Labelled
from xlt_bench.tasks import cldr

LABELS = ("science", "travel", "politics", "sports", "health", "entertainment", "geography")
VECTORS = 20
BATCH = 32
LONGEST = 164
SIZES: dict[str, dict[str, int]] = {
    "nano": {},
    "e5-small-q4": {},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
}
_LANGUAGES = ("eng_Latn", "deu_Latn", "fra_Latn", "spa_Latn", "kat_Geor", "hin_Deva", "zho_Hans", "arb_Arab")


def backbone_folder(size: str, under: Path, vocabulary: int | None = None) -> Path:
    """nano as it ships, e5-small-q4 as `backbone get` makes it; base, large: random, as XLM-R, with nano's vocabulary.

    Speed depends neither on the weights nor on the rows of the embedding table that no token names; `vocabulary` is
    their number where the size of a model matters.
    """
    if not SIZES[size]:
        return locate(size).folder
    nano = locate("nano").folder
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(nano)
    values: dict[str, Any] = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, **SIZES[size]}
    config = XLMRobertaConfig(
        vocab_size=vocabulary or len(tokenizer), max_position_embeddings=514, type_vocab_size=1, **values
    )
    XLMRobertaForMaskedLM(config).save_pretrained(under)
    tokenizer.save_pretrained(under)
    return under


def sentences(items: int, seed: int) -> Labelled:
    """That many sentences in eight languages, each with one of seven classes."""
    random = np.random.default_rng([seed, items])
    task, tokenizer = cldr.load(None), AutoTokenizer.from_pretrained(locate("nano").folder)
    names = {code: [example.text for example in task.split(code, "train").examples] for code in _LANGUAGES}
    sizes = {code: [len(ids) for ids in tokenizer(texts)["input_ids"]] for code, texts in names.items()}
    examples = []
    for number, length in enumerate(np.clip(random.lognormal(np.log(50), 0.4, items), 12, LONGEST)):
        code = _LANGUAGES[number % len(_LANGUAGES)]
        order = random.permutation(len(names[code]))
        tokens = np.cumsum([sizes[code][i] - 2 for i in order])  # without the two special tokens of each
        chosen = order[: int(np.searchsorted(tokens, length)) + 1]
        examples.append(Example(str(number), code, " ".join(names[code][i] for i in chosen)))
    return Labelled(tuple(examples), random.integers(len(LABELS), size=items).astype(np.int64))
