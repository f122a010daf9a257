"""Shared fixtures: a tiny backbone of XLM-R's architecture, made on the fly, with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # torch and transformers are imported by the tests that use a backbone only
    from transformers import PreTrainedTokenizerFast

    from xlt_bench.backbones.backbone import Backbone

WORDS = (
    "river",
    "lake",
    "mountain",
    "city",
    "village",
    "euro",
    "dollar",
    "peso",
    "metre",
    "litre",
    "second",
    "hour",
    "german",
    "french",
    "georgian",
    "thai",
)
"""What the tiny tokenizer is trained on; any text in lower-case Latin letters can be tokenised with it."""


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Token files of the tests lie in a folder of theirs, not in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone folder as `save_pretrained` writes it: 2 layers, d = 32, no dropout."""
    return save_tiny_backbone(tmp_path_factory.mktemp("tiny"), dropout=0.0)


@pytest.fixture(scope="session")
def tiny_backbone_with_dropout_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same architecture with XLM-R's own dropout of 0.1."""
    return save_tiny_backbone(tmp_path_factory.mktemp("tiny-dropout"), dropout=0.1)


@pytest.fixture(scope="session")
def tiny_backbone(tiny_backbone_folder: Path) -> Backbone:
    """One tiny backbone without dropout for all tests, as the runner shares one among all cells."""
    return open_backbone(tiny_backbone_folder)


@pytest.fixture
def tiny_backbone_with_dropout(tiny_backbone_with_dropout_folder: Path) -> Backbone:
    """A tiny backbone with dropout, as XLM-R has it."""
    return open_backbone(tiny_backbone_with_dropout_folder)


def open_backbone(folder: Path) -> Backbone:
    """A backbone of its own, from a folder."""
    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.backbones.source import locate

    return Backbone(locate(str(folder)))


def save_tiny_backbone(folder: Path, dropout: float) -> Path:
    """Write model.safetensors, config.json and tokenizer.json. Weights are wide, so that every detail shows in logits.

    Like XLM-R on the hub, it is a masked language model without a pooler.
    """
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    tokenizer = tiny_tokenizer()
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        XLMRobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte pairs of WORDS, with the ids and the template of XLM-R's special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=96, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(WORDS, trainer)
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
