"""UniPrompt: tied towers are one encoder with a mask by blocks; without any it is a template through a whole model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForMaskedLM

from tests.support.architectures import tiny_model
from tests.support.fits import DEV, LABELS, TEST, TRAIN, context, copied, same, shake, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.uniprompt import UniPrompt, template_ids
from xlt_bench.recipe import preset_recipe
from xlt_bench.task import Labelled
from xlt_bench.training.tuned_encoder import FittedEncoder, TunedEncoder
from xlt_bench.training.two_towers import ClassRows, TwoTowers

TYPES = ("xlm-roberta", "bert")
HALF = 0.5
"""Of the two layers of tiny models."""
LIMIT = 1e-5


def prepared(backbone: Backbone, steps: int = 12, **changes: Any) -> Context:
    recipe = replace(short("cldr", "full-finetuning", steps, max_length=32), **changes)
    return context(backbone, recipe.with_rates(backbone=2e-3, head=0.02))


def tiny(folder: Path, model_type: str) -> tuple[Path, Backbone]:
    """Without dropout, so that passes in train mode can be compared too."""
    path = tiny_model(folder, model_type, {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    return path, Backbone(locate(str(path)))


def joined(backbone: Backbone, examples: Labelled) -> tuple[Tensor, Tensor, Tensor, int]:
    """Template and texts as one input: ids, mask and the positions at which they count anew; the template's length."""
    ids, _ = template_ids(UniPrompt().template, backbone.tokenizer)
    batch = backbone.tokenise([(example.text, None) for example in examples.examples], 32).batch(range(len(examples)))
    template = torch.tensor(ids).expand(len(batch), -1)
    mask = torch.cat([torch.ones_like(template), batch.mask], 1)
    first = 2 if backbone.architecture.model_type == "xlm-roberta" else 0
    places = torch.cat([torch.arange(len(ids)), torch.arange(batch.ids.shape[1])]) + first
    return torch.cat([template, batch.ids], 1), mask, places.expand(len(batch), -1), len(ids)


def towers_of(module: TunedEncoder) -> TwoTowers:
    assert isinstance(module.encoder, TwoTowers)
    return module.encoder


def rows_of(module: TunedEncoder) -> nn.Linear:
    assert isinstance(module.head, ClassRows)
    return module.head.rows


@torch.no_grad()
@pytest.mark.parametrize("model_type", TYPES)
def test_tied_towers_are_one_encoder_with_a_mask_by_blocks(model_type: str, tmp_path: Path) -> None:
    """Below the split template and text see themselves alone and their positions start anew; above, they see all."""
    folder, backbone = tiny(tmp_path, model_type)
    ids, mask, places, vectors = joined(backbone, TEST)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False).eval()
    in_template = torch.arange(ids.shape[1]) < vectors
    visible = mask[:, None, None].bool()
    blocks = visible & (in_template[None, :] == in_template[:, None])

    def added(visible: Tensor) -> Tensor:
        return torch.zeros(visible.shape).masked_fill(~visible, -torch.inf)

    states = model.embeddings(input_ids=ids, position_ids=places)
    lower, upper = model.encoder.layer
    states = upper(lower(states, added(blocks)), added(visible))

    module = UniPrompt(share=HALF).new_module(backbone, len(LABELS), 0)
    output = towers_of(module)(input_ids=ids[:, vectors:], attention_mask=mask[:, vectors:])
    place = ids[0].tolist().index(backbone.tokenizer.mask_token_id)
    torch.testing.assert_close(output.last_hidden_state[:, 0], states[:, place], rtol=0, atol=LIMIT)
    whole = model(input_ids=ids, attention_mask=mask, position_ids=places).last_hidden_state
    assert float((whole - states)[:, place].abs().max()) > 0.01, "the blocks show"


@torch.no_grad()
@pytest.mark.parametrize("model_type", TYPES)
def test_without_lower_layers_it_is_a_template_through_the_language_model(model_type: str, tmp_path: Path) -> None:
    """Rows that are those of words have the words' logits at the mask."""
    folder, backbone = tiny(tmp_path, model_type)
    ids, mask, places, _ = joined(backbone, TEST)
    model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    words = torch.arange(20, 20 + len(LABELS))
    logits = model(input_ids=ids, attention_mask=mask, position_ids=places).logits
    expected = logits[:, ids[0].tolist().index(backbone.tokenizer.mask_token_id), words]

    method, given = UniPrompt(share=0.0), prepared(backbone)
    module = method.new_module(backbone, len(LABELS), 0)
    decoder = model.get_output_embeddings()
    rows_of(module).weight.copy_(decoder.weight[words])
    rows_of(module).bias.copy_(decoder.bias[words])
    scores = FittedEncoder(method, module, given, FitSummary()).predict(TEST.examples)
    np.testing.assert_allclose(scores, expected.numpy(), rtol=0, atol=LIMIT)


@pytest.mark.parametrize("share", [0.0, HALF])
def test_classes_start_as_the_mean_states_of_their_texts(share: float, tmp_path: Path) -> None:
    """Computed here one text at a time; a class without texts has the mean over all."""
    _, backbone = tiny(tmp_path, "xlm-roberta")
    method, train = UniPrompt(share=share), TRAIN.take(np.flatnonzero(TRAIN.gold != 2))
    module = method.new_module(backbone, len(LABELS), 0)
    states = []
    with torch.no_grad():
        for example in train.examples:
            ids = torch.tensor([backbone.tokenizer(example.text, truncation=True, max_length=32)["input_ids"]])
            states.append(module.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 0])
    by_text = torch.stack(states).double()
    expected = torch.stack(
        [by_text.mean(0) if number == 2 else by_text[train.gold == number].mean(0) for number in range(len(LABELS))]
    )
    means = method.class_means(module, train, prepared(backbone))
    torch.testing.assert_close(means.double(), expected, rtol=0, atol=LIMIT)
    still = method.fit(train, DEV, replace_rates(prepared(backbone, steps=1), 0.0))
    torch.testing.assert_close(rows_of(still.module).weight.double(), expected, rtol=0, atol=LIMIT)
    assert not rows_of(still.module).bias.any()


def replace_rates(given: Context, rate: float) -> Context:
    return replace(given, recipe=given.recipe.with_rates(backbone=rate, head=rate))


def test_towers_start_alike_and_part(tiny_backbone_with_dropout: Backbone) -> None:
    method, given = UniPrompt(), prepared(tiny_backbone_with_dropout, steps=40)
    towers = towers_of(method.new_module(tiny_backbone_with_dropout, len(LABELS), 0))
    text_layers: Any = towers.text.get_submodule("encoder.layer")
    assert same(copied(towers.template_layers), copied(text_layers))
    fitted = method.fit(TRAIN, DEV, given)
    trained = towers_of(fitted.module)
    trained_text: Any = trained.text.get_submodule("encoder.layer")
    assert not same(copied(trained.template_layers), copied(trained_text))
    assert not same(copied(trained.template_layers), copied(towers.template_layers))
    assert not same(copied(trained_text), copied(text_layers))
    weights = sum(parameter.numel() for parameter in trained.parameters())
    weights += sum(parameter.numel() for parameter in fitted.module.head.parameters())
    assert fitted.summary.trainable_parameters == weights
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.8


def test_the_template_s_tower_alone_is_trained_on_a_frozen_backbone(tiny_backbone: Backbone, tmp_path: Path) -> None:
    method, given = UniPrompt(train="prompt-tower"), prepared(tiny_backbone, steps=40)
    start = copied(towers_of(method.new_module(tiny_backbone, len(LABELS), 0)))
    fitted = method.fit(TRAIN, DEV, given)
    state = copied(towers_of(fitted.module))
    changed = {name for name, value in state.items() if not torch.equal(value, start[name])}
    assert changed
    assert all(name.startswith("template_layers.") for name in changed)
    in_memory = {parameter.data_ptr() for parameter in tiny_backbone.encoder.parameters()}
    assert all(parameter.data_ptr() in in_memory for parameter in towers_of(fitted.module).text.parameters())
    fitted.save(tmp_path)
    names = load_file(tmp_path / "weights.safetensors")
    assert all(name.startswith(("template_layers.", "head.")) for name in names)
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.5


@pytest.mark.parametrize("train", ["all", "prompt-tower"])
def test_what_it_learned_is_loaded_and_adapted(train: Any, tiny_backbone: Backbone, tmp_path: Path) -> None:
    method, given = UniPrompt(train=train), prepared(tiny_backbone)
    fitted = method.fit(TRAIN, DEV, given)
    scores = fitted.predict(TEST.examples)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(method.load(tmp_path, given).predict(TEST.examples), scores)
    adapted = fitted.adapt(TRAIN, DEV, given)
    assert not np.array_equal(adapted.predict(TEST.examples), scores)
    np.testing.assert_array_equal(fitted.predict(TEST.examples), scores)
    resting = fitted.adapt(TRAIN, DEV, replace_rates(prepared(tiny_backbone, steps=1), 0.0))
    np.testing.assert_allclose(resting.predict(TEST.examples), scores, rtol=0, atol=LIMIT)


def test_the_template_is_computed_once_while_predicting_and_anew_after_training(tiny_backbone: Backbone) -> None:
    method, given = UniPrompt(share=HALF), prepared(tiny_backbone)
    fitted = method.fit(TRAIN, DEV, given)
    towers, rows = towers_of(fitted.module), []
    towers.template_layers[0].register_forward_hook(lambda layer, inputs, output: rows.append(len(inputs[0])))
    texts = TEST.examples * 40  # several batches
    before = fitted.predict(texts)
    fitted.predict(texts)
    assert rows == [1]
    fitted.module.train()
    shake(towers.template_layers.parameters())
    fitted.module.eval()
    after = fitted.predict(texts)
    assert rows == [1, 1]
    assert not np.allclose(before, after, atol=1e-3)


def test_in_train_mode_each_text_has_a_template_with_dropout_of_its_own(tiny_backbone_with_dropout: Backbone) -> None:
    towers = towers_of(UniPrompt(share=HALF).new_module(tiny_backbone_with_dropout, len(LABELS), 0)).train()
    ids = torch.tensor([[0, 7, 8, 2]]).expand(3, -1)
    torch.manual_seed(0)
    states = towers(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    assert not torch.equal(states[0], states[1])
    template: Any = towers
    first, second, _ = template._template(3)
    assert not torch.equal(first, second)


def test_recipe_is_that_of_full_finetuning() -> None:
    for preset in ("paper", "cldr", "sib200"):
        common = preset_recipe(preset)
        assert UniPrompt().recipe_for(preset, common) == FullFinetuning().recipe_for(preset, common)


def test_what_cannot_be_is_refused(tiny_backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="share of uniprompt is from 0 to less than 1, so that towers meet, not 1"):
        UniPrompt(share=1.0)
    with pytest.raises(ConfigError, match=r"the template 'It is good' has \{mask\} 0 times; write it once"):
        UniPrompt(template="It is good")
    with pytest.raises(ConfigError, match=r"'\{text\} is \{mask\}' of uniprompt stands apart from the text; leave"):
        UniPrompt(template="{text} is {mask}")
    with pytest.raises(ConfigError, match=r"has 1003 tokens, and backbone .* has 512 positions; take a shorter"):
        UniPrompt(template="red " * 1000 + "{mask}").check_backbone(tiny_backbone.source)
    with pytest.raises(ConfigError, match="the tokenizer reads 2 mask tokens in the template"):
        UniPrompt(template="<mask> is {mask}").check_backbone(tiny_backbone.source)
    with pytest.raises(ConfigError, match=r"share=0\.3 of the 2 layers .* has no tower to train; take a larger share"):
        UniPrompt(share=0.3, train="prompt-tower").check_backbone(tiny_backbone.source)
    with pytest.raises(ConfigError, match="type 'albert', whose layers take no"):
        UniPrompt().check_backbone(locate(str(tiny_model(tmp_path, "albert"))))
    UniPrompt().check_backbone(tiny_backbone.source)
