"""A masked language model of XLM-R's architecture, made in a moment, for methods that ask one: nothing is pre-trained.

It answers the toy task: attention looks for the word that tells the class, and the head names the class at every
position. So what a method does with templates, label words and prompts shows in its answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.conformance.tiny_backbone import toy_tokenizer, toy_vocabulary
from xlt_bench.conformance.toy import CLASS_WORDS, LABELS

if TYPE_CHECKING:
    from transformers import XLMRobertaForMaskedLM

_WIDTH, _HEADS = 32, 4
_HEAD_WIDTH = _WIDTH // _HEADS
_MARK = 0
"""The dimension of an embedding that marks a word which tells a class; the next ones tell which, then come answers."""
_CLASS = slice(1, 1 + len(LABELS))
_ANSWER = slice(1 + len(LABELS), 1 + 2 * len(LABELS))
_SPREAD = 0.2
"""Standard deviation of all that tells nothing."""


def save_masked_lm(folder: Path) -> None:
    """Write a masked language model of one layer and its tokenizer into a folder, as `save_pretrained` does.

    The caller's random state is left as it was.

    Args:
        folder: is made if it is not there.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    vocabulary = toy_vocabulary(LABELS)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=_HEADS,
        intermediate_size=48,
        max_position_embeddings=514,
        type_vocab_size=1,
        initializer_range=_SPREAD,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        architectures=["XLMRobertaForMaskedLM"],
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(7)
        model = XLMRobertaForMaskedLM(config)
        _mark_words(model, vocabulary)
        _attend_to_marked(model)
        _name_the_class(model)
    tied = {"lm_head.decoder.weight", "lm_head.decoder.bias"}
    weights = {name: tensor for name, tensor in model.state_dict().items() if name not in tied}
    config.save_pretrained(folder)  # model.save_pretrained would show a progress bar
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    toy_tokenizer(vocabulary).save_pretrained(folder)


def _mark_words(model: XLMRobertaForMaskedLM, vocabulary: tuple[str, ...]) -> None:
    """Words that tell a class have a mark and the class, names of classes the answer; no other token has any."""
    embeddings = model.roberta.embeddings
    embeddings.position_embeddings.weight.mul_(0.1)
    table = embeddings.word_embeddings.weight
    table[:, : _ANSWER.stop] = 0.0
    for number, (label, words) in enumerate(CLASS_WORDS.items()):
        table[vocabulary.index(label), _ANSWER.start + number] = 1.0
        for word in words:
            table[vocabulary.index(word), [_MARK, _CLASS.start + number]] = 1.0


def _attend_to_marked(model: XLMRobertaForMaskedLM) -> None:
    """Every position asks for marks, and takes over the class of what is marked as an answer."""
    layer = model.roberta.encoder.layer[0]
    first_of_head = slice(None, None, _HEAD_WIDTH)
    layer.get_parameter("attention.self.query.bias")[first_of_head] = 5.0
    key = layer.get_parameter("attention.self.key.weight")
    key[first_of_head] = 0.0
    key[first_of_head, _MARK] = 1.0
    value, output = (layer.get_parameter(f"attention.{part}.weight") for part in ("self.value", "output.dense"))
    value.zero_()
    output.zero_()
    for number in range(len(LABELS)):
        value[number, _CLASS.start + number] = 1.0
        output[_ANSWER.start + number, number] = 1.0


def _name_the_class(model: XLMRobertaForMaskedLM) -> None:
    """The head looks at answers alone."""
    dense = model.lm_head.dense
    dense.weight.zero_()
    for dimension in range(_ANSWER.start, _ANSWER.stop):
        dense.weight[dimension, dimension] = 1.0
