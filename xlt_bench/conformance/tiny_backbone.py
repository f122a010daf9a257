"""A backbone of XLM-R's architecture, made in a moment, that methods are checked on: nothing in it is pre-trained."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.conformance.toy import CLASS_WORDS, FILLERS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, XLMRobertaModel

WIDTH, LAYERS, HEADS = 32, 2, 4

_SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_WORDS = (*FILLERS, *(word for words in CLASS_WORDS.values() for word in words))
_CHARACTERS = tuple(string.digits + string.ascii_letters + string.punctuation)


def toy_vocabulary(further: Sequence[str] = ()) -> tuple[str, ...]:
    """Special tokens, the toy task's words, further ones, and single characters, at a word's start and inside it."""
    inside = (f"##{character}" for character in _CHARACTERS)
    return tuple(dict.fromkeys((*_SPECIAL_TOKENS, *_WORDS, *further, *_CHARACTERS, *inside)))


_VOCABULARY = toy_vocabulary()


def save_backbone(folder: Path, dropout: float = 0.0) -> None:
    """Write a backbone into a folder, as `save_pretrained` does: a masked language model of 2 layers, d = 32.

    Its weights are random, except that the first dimension of an embedding marks the words that matter, the next ones
    their class, and attention goes to marked words: so a prompt, an adapter or a head learns in tens of steps what it
    would learn on a pre-trained model. The caller's random state is left as it was.

    Args:
        folder: is made if it is not there.
        dropout: of states and of attention; XLM-R has 0.1.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    config = XLMRobertaConfig(
        vocab_size=len(_VOCABULARY),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=48,
        max_position_embeddings=514,
        type_vocab_size=1,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        architectures=["XLMRobertaForMaskedLM"],
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(7)
        model = XLMRobertaForMaskedLM(config)
        _mark_words(model.roberta)
        _attend_to_marked(model.roberta)
    tied = {"lm_head.decoder.weight", "lm_head.decoder.bias"}
    weights = {name: tensor for name, tensor in model.state_dict().items() if name not in tied}
    config.save_pretrained(folder)  # model.save_pretrained would show a progress bar
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    toy_tokenizer(_VOCABULARY).save_pretrained(folder)


def _mark_words(encoder: XLMRobertaModel) -> None:
    embeddings = encoder.embeddings
    embeddings.position_embeddings.weight.mul_(0.1)
    table = embeddings.word_embeddings.weight
    table[:, : 1 + len(CLASS_WORDS)] = 0
    for label, words in enumerate(CLASS_WORDS.values()):
        for word in words:
            table[_VOCABULARY.index(word), [0, 1 + label]] = 1.0


def _attend_to_marked(encoder: XLMRobertaModel) -> None:
    first_of_head = slice(None, None, WIDTH // HEADS)
    for layer in encoder.encoder.layer:
        layer.get_parameter("attention.self.query.bias")[first_of_head] = 5.0
        key = layer.get_parameter("attention.self.key.weight")
        key[first_of_head] = 0.0
        key[first_of_head, 0] = 1.0


def toy_tokenizer(vocabulary: Sequence[str], *, special: bool = True) -> PreTrainedTokenizerFast:
    """A vocabulary's words whole, other words letter by letter; ids of XLM-R's special tokens.

    Args:
        special: whether they stand around every text, as XLM-R's do.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece({word: row for row, word in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if special:
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
