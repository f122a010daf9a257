"""Every architecture that is served: what the head reads is the state of transformers' own model, and a fit works."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModel, AutoModelForSeq2SeqLM

from tests.support.architectures import NARROW, POSITIONS, WIDTH, tiny_model
from tests.support.fits import DEV, TEST, TRAIN, context, loud, short, unfitted
from xlt_bench.backbones.architectures import SERVED
from xlt_bench.backbones.architectures.decoders import DECODERS
from xlt_bench.backbones.architectures.t5 import T5_TYPES
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.linear_probe import LinearProbe
from xlt_bench.methods.peft import variant_of
from xlt_bench.methods.spt import SPT
from xlt_bench.recipe import Rate, ReadOut
from xlt_bench.task import Example
from xlt_bench.training.data import tokenise

LIMIT = 1e-5
LORA = variant_of("LoraConfig")(target_modules="all-linear")  # type: ignore[call-arg]  # fields of peft's configuration
NARROW_TYPES = ("albert", "electra", "rembert", "roformer")
SEGMENT_TYPES = ("albert", "bert", "electra", "ernie", "rembert", "roformer")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models by type, each made at its first use."""
    return _Folders(tmp_path_factory.mktemp("architectures"))


class _Folders(dict[str, Path]):
    def __init__(self, root: Path) -> None:
        self.root = root

    def __missing__(self, model_type: str) -> Path:
        self[model_type] = tiny_model(self.root / model_type, model_type)
        return self[model_type]


def opened(folder: Path) -> Backbone:
    return Backbone(locate(str(folder)))


def own_model(folder: Path, model_type: str) -> Any:
    """Transformers' model without a head; of T5, the encoder inside the whole model."""
    if model_type in T5_TYPES:
        return AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).get_encoder().eval()
    return AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


def expected_state(states: Tensor, vectors: int, read_out: ReadOut) -> Tensor:
    """Of one text without padding, (positions, d)."""
    return {"first": states[0], "last": states[-1], "mean": states[vectors:].mean(0)}[read_out]


@pytest.mark.parametrize("model_type", sorted(SERVED))
@torch.no_grad()
def test_the_state_that_is_read_is_that_of_transformers_own_model(model_type: str, folders: dict[str, Path]) -> None:
    """Ours in padded batches; theirs text by text, without any padding."""
    folder = folders[model_type]
    backbone = opened(folder)
    fitted = unfitted(SPT(n_tokens=4), backbone)
    model = own_model(folder, model_type)
    texts = [example.text for example in TEST.examples[:12]]
    assert len({len(backbone.tokenizer(text)["input_ids"]) for text in texts}) > 4, "padding would go untested"
    alone = []
    for text in texts:
        ids = backbone.tokenizer(text, return_tensors="pt", return_token_type_ids=False)["input_ids"]
        embeddings = torch.cat([fitted.prompt[None], model.get_input_embeddings()(ids)], 1)
        alone.append(model(inputs_embeds=embeddings, attention_mask=torch.ones(embeddings.shape[:2])).last_hidden_state)
    tokenised = tokenise(TEST.examples[:12], backbone, loud(), 32)
    for read_out in backbone.architecture.read_outs:
        expected = torch.stack([expected_state(states[0], 4, read_out) for states in alone])
        assert expected.std(0).min() > 100 * LIMIT, "the texts must differ, or equality would tell nothing"
        batch = tokenised.batch(range(len(texts)))
        state = backbone.hidden(fitted.prompt.expand(len(texts), -1, -1), batch, read_out)
        torch.testing.assert_close(state, expected, rtol=0, atol=LIMIT)
        recipe = loud(read_out=read_out)
        scores = unfitted(SPT(n_tokens=4), backbone, recipe=recipe).predict(TEST.examples[:12])
        np.testing.assert_allclose(scores, fitted.module.head(expected).numpy(), rtol=0, atol=LIMIT)


@pytest.mark.parametrize("model_type", sorted(SERVED))
@torch.no_grad()
def test_without_a_prompt_ids_give_the_same_state(model_type: str, folders: dict[str, Path]) -> None:
    """Head-only goes in as embeddings; transformers' own model gets padded ids."""
    backbone = opened(folders[model_type])
    read_out = backbone.architecture.read_outs[0]
    fitted = unfitted(HeadOnly(), backbone, recipe=loud(read_out=read_out))
    model = own_model(folders[model_type], model_type)
    inputs = backbone.tokenizer(
        [example.text for example in TEST.examples], padding=True, return_tensors="pt", return_token_type_ids=False
    )
    lengths = inputs["attention_mask"].sum(1)
    states = [hidden[:length] for hidden, length in zip(model(**inputs).last_hidden_state, lengths, strict=True)]
    expected = fitted.module.head(torch.stack([expected_state(one, 0, read_out) for one in states]))
    np.testing.assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)


@pytest.mark.parametrize("model_type", SEGMENT_TYPES)
@torch.no_grad()
def test_pairs_have_the_segment_ids_of_the_tokenizer(model_type: str, folders: dict[str, Path]) -> None:
    backbone = opened(folders[model_type])
    assert backbone.architecture.segments > 1
    pairs = [Example(str(i), "eng_Latn", "river lake", "city " * (1 + i % 4)) for i in range(6)]
    inputs = backbone.tokenizer(
        [pair.text for pair in pairs],
        [pair.text_pair for pair in pairs],
        padding=True,
        return_tensors="pt",
        return_token_type_ids=True,
    )
    assert inputs["token_type_ids"].any()
    model = own_model(folders[model_type], model_type)
    fitted = unfitted(HeadOnly(), backbone)
    expected = fitted.module.head(model(**inputs).last_hidden_state[:, 0])
    np.testing.assert_allclose(fitted.predict(pairs), expected.numpy(), rtol=0, atol=LIMIT)
    del inputs["token_type_ids"]
    without = fitted.module.head(model(**inputs).last_hidden_state[:, 0])
    assert (without - expected).abs().max() > 100 * LIMIT, "segments would go untested"


@pytest.mark.parametrize("model_type", DECODERS)
@torch.no_grad()
def test_a_decoder_gives_the_same_under_both_paddings(model_type: str, folders: dict[str, Path]) -> None:
    """Transformers' own model on rows that are padded on the left, and ours on both."""
    backbone = opened(folders[model_type])
    model = own_model(folders[model_type], model_type)
    batch = backbone.tokenise([(example.text, None) for example in TEST.examples[:8]], 32).batch(range(8))
    lengths = batch.mask.sum(1).tolist()
    assert len(set(lengths)) > 3
    rows = [row.roll(batch.ids.shape[1] - length) for row, length in zip(batch.ids, lengths, strict=True)]
    masks = [row.roll(batch.ids.shape[1] - length) for row, length in zip(batch.mask, lengths, strict=True)]
    left, left_mask = torch.stack(rows), torch.stack(masks)
    positions = (left_mask.cumsum(1) - 1).clamp_min(0)  # as transformers' generate counts them
    expected = model(input_ids=left, attention_mask=left_mask, position_ids=positions).last_hidden_state[:, -1]
    right = backbone.architecture.states(backbone.frozen, batch.mask, ids=batch.ids)
    read = right[torch.arange(8), batch.mask.sum(1) - 1]
    torch.testing.assert_close(read, expected, rtol=0, atol=LIMIT)
    ours = backbone.architecture.states(backbone.frozen, left_mask, ids=left)[:, -1]
    torch.testing.assert_close(ours, expected, rtol=0, atol=LIMIT)


@pytest.mark.parametrize("model_type", NARROW_TYPES)
def test_prompts_are_as_wide_as_embeddings_and_heads_as_hidden_states(
    model_type: str, folders: dict[str, Path]
) -> None:
    backbone = opened(folders[model_type])
    assert (backbone.architecture.prompt_width, backbone.architecture.head_width) == (NARROW, WIDTH)
    fitted = unfitted(SPT(n_tokens=3), backbone)
    assert fitted.prompt.shape == (3, NARROW)
    assert fitted.module.head.dense.weight.shape == (WIDTH, WIDTH)


@pytest.mark.parametrize(
    ("model_type", "changes", "free"),
    [
        ("xlm-roberta", {}, POSITIONS - 2),
        ("camembert", {}, POSITIONS - 2),
        ("luke", {}, POSITIONS - 2),
        ("xmod", {}, POSITIONS - 2),
        ("mpnet", {}, POSITIONS - 2),
        ("mpnet", {"pad_token_id": 5}, POSITIONS - 2),
        ("roberta", {"pad_token_id": 3}, POSITIONS - 4),
        ("bert", {}, POSITIONS),
        ("xlm", {}, POSITIONS),
        ("gpt2", {}, POSITIONS),
    ],
)
@torch.no_grad()
def test_free_positions_can_all_be_taken_and_not_one_more(
    model_type: str, changes: dict[str, Any], free: int, tmp_path: Path
) -> None:
    backbone = opened(tiny_model(tmp_path / "model", model_type, changes))
    assert backbone.architecture.positions == free
    long = [TEST.examples[0]._replace(text="river " * 100)]
    recipe = loud(max_length=200, read_out=backbone.architecture.read_outs[0])
    assert np.isfinite(unfitted(SPT(n_tokens=10), backbone, recipe=recipe).predict(long)).all()
    embeddings = torch.zeros(1, free + 1, backbone.architecture.prompt_width)
    with pytest.raises((IndexError, RuntimeError)):
        backbone.architecture.states(
            backbone.frozen, torch.ones(1, free + 1), embeddings=embeddings, modules=torch.zeros(1, dtype=torch.int64)
        )


@pytest.mark.parametrize("model_type", ["albert", "bert", "deberta-v2", "modernbert", "t5", "qwen2", "xlm", "xmod"])
@pytest.mark.parametrize(
    "method", [SPT(n_tokens=3), FullFinetuning(), LORA, LinearProbe()], ids=lambda m: type(m).__name__
)
def test_a_fit_predicts_and_loads(model_type: str, method: Any, folders: dict[str, Path], tmp_path: Path) -> None:
    backbone = opened(folders[model_type])
    recipe = short("cldr", steps=4, evaluate_every=4, read_out=backbone.architecture.read_outs[0])
    rates = {**recipe.rates, "adapter": Rate(1e-3)}
    given = context(backbone, dataclasses.replace(recipe, rates=rates))
    fitted = method.fit(TRAIN, DEV, given)
    scores = fitted.predict(TEST.examples)
    assert np.isfinite(scores).all()
    assert np.ptp(scores, axis=0).min() > 0, "scores depend on the text"
    fitted.save(tmp_path / "fit")
    loaded = method.load(tmp_path / "fit", given)
    np.testing.assert_array_equal(loaded.predict(TEST.examples), scores)


@pytest.mark.parametrize("model_type", sorted(SERVED))
def test_in_bfloat16_every_number_is_the_nearest_to_that_in_float32(model_type: str, folders: dict[str, Path]) -> None:
    source = locate(str(folders[model_type]))
    rounded = Backbone(source, precision="bf16").frozen
    whole: Any = Backbone(source).frozen
    weights = whole.to(torch.bfloat16).state_dict()
    assert rounded.state_dict().keys() == weights.keys()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in rounded.state_dict().items())
    buffers = dict(whole.named_buffers())
    assert all(torch.equal(tensor, buffers[name]) for name, tensor in rounded.named_buffers())
