"""FLARE: without a rendering's states it is LoRA, with them the published formula; renderings come with their items."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.commands import Command
from tests.support.fits import DEV, LABELS, TEST, TRAIN, context, copied, loud, same, shake
from tests.support.toy import toy_task, write_files
from tests.support.translations import TARGETS, write_translations
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Adaptable, Context, FitSummary
from xlt_bench.methods.flare import FLARE, FittedFLARE, begin_second
from xlt_bench.recipe import Rate
from xlt_bench.records.store import Store
from xlt_bench.resources import RESOURCES, Scope, contents, rendered
from xlt_bench.task import Example, Labelled
from xlt_bench.training.fused_lora import FUSIONS, FusedEncoder, FusedLinear, LowRank
from xlt_bench.training.tuned_encoder import weights_of

METHOD = FLARE(rank=4, alpha=8.0)


def fit_context(backbone: Backbone, seed: int = 1) -> Context:
    return context(backbone, loud().with_roles(adapter=Rate(0.02)), seed)


def beside(part: Labelled, renderings: Labelled) -> Labelled:
    pairs = zip(part.examples, renderings.examples, strict=False)
    examples = tuple(item._replace(rendering=(rendering.text, None)) for item, rendering in pairs)
    return Labelled(examples, part.gold[: len(examples)])


RENDERED_TRAIN = beside(TRAIN, TRAIN.take(np.arange(len(TRAIN))[::-1]))
RENDERED_TEST = beside(TEST, TRAIN).examples


def second_stage(backbone: Backbone, method: FLARE = METHOD) -> FittedFLARE:
    given = fit_context(backbone)
    module = begin_second(method.new_module(backbone, len(LABELS), 1), 2)
    for fused in encoder_of(module).maps:
        shake([*fused.first.parameters(), *second_of(fused).parameters()])
    return FittedFLARE(method, module, given, FitSummary())


def second_of(fused: FusedLinear) -> LowRank:
    assert fused.second is not None
    return fused.second


def encoder_of(module: Any) -> FusedEncoder:
    encoder = module.encoder
    assert isinstance(encoder, FusedEncoder)
    return encoder


def as_lora(backbone: Backbone, maps: list[LowRank], method: FLARE = METHOD) -> nn.Module:
    """peft's LoRA on query and value of a fresh encoder, with the weights of these maps."""
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=method.rank, lora_alpha=method.alpha, target_modules=["query", "value"])
    model: nn.Module = peft.get_peft_model(backbone.fresh_encoder(), config)
    layers = [module for module in model.modules() if isinstance(module, peft.tuners.lora.Linear)]
    with torch.no_grad():
        for layer, low_rank in zip(layers, maps, strict=True):
            layer.lora_A["default"].weight.copy_(low_rank.down.weight)
            layer.lora_B["default"].weight.copy_(low_rank.up.weight)
    return model.eval()


def ids_of(backbone: Backbone, examples: tuple[Example, ...]) -> tuple[Tensor, Tensor]:
    batch = backbone.tokenise([(example.text, None) for example in examples], 32).batch(range(len(examples)))
    return batch.ids, batch.mask


@torch.no_grad()
def test_without_states_of_a_rendering_the_sum_is_lora(tiny_backbone: Backbone) -> None:
    module = second_stage(tiny_backbone, FLARE(rank=4, alpha=8.0, fusion="sum")).module
    encoder = encoder_of(module)
    ids, mask = ids_of(tiny_backbone, TEST.examples)
    for fused in encoder.maps:
        fused.first.up.weight.zero_()
        fused.rendering = torch.zeros(*ids.shape, fused.plain.in_features)
    lora = as_lora(tiny_backbone, [second_of(fused) for fused in encoder.maps])
    states, expected = (model(input_ids=ids, attention_mask=mask).last_hidden_state for model in (encoder, lora))
    assert (expected - tiny_backbone.encoder(input_ids=ids, attention_mask=mask).last_hidden_state).abs().max() > 0.1
    torch.testing.assert_close(module.head(states[:, 0]), module.head(expected[:, 0]), atol=1e-6, rtol=0)


def test_the_first_stage_is_lora(tiny_backbone: Backbone) -> None:
    fitted = METHOD.fit(TRAIN, DEV, fit_context(tiny_backbone))
    encoder = encoder_of(fitted.module)
    lora = as_lora(tiny_backbone, [fused.first for fused in encoder.maps])
    ids, mask = ids_of(tiny_backbone, TEST.examples)
    with torch.no_grad():
        states = lora(input_ids=ids, attention_mask=mask).last_hidden_state
        expected = fitted.module.head(states[:, 0])
    np.testing.assert_allclose(fitted.predict(TEST.examples), expected.numpy(), atol=1e-5)


def add_formula(
    module: nn.Module, inputs: Any, output: Tensor, *, formula: Any, entering: Tensor, low_rank: LowRank
) -> Tensor:
    """W x + (8 / 4) B phi(A h, A x)."""
    inner = formula(entering @ low_rank.down.weight.T, inputs[0] @ low_rank.down.weight.T)
    fused: Tensor = output + 2.0 * inner @ low_rank.up.weight.T
    return fused


@pytest.mark.parametrize("fusion", list(FUSIONS))
def test_the_second_stage_is_the_published_formula_on_the_merged_model(fusion: Any, tiny_backbone: Backbone) -> None:
    """Merged by peft; what enters its layers is read off `output_hidden_states`, and the formula is written out."""
    fitted = second_stage(tiny_backbone, FLARE(rank=4, alpha=8.0, fusion=fusion))
    maps = encoder_of(fitted.module).maps
    merged: Any = as_lora(tiny_backbone, [fused.first for fused in maps])
    merged = merged.merge_and_unload()
    texts, renderings = (
        RENDERED_TEST[:7],
        tuple(example._replace(text=example.rendering[0]) for example in RENDERED_TEST[:7] if example.rendering),
    )
    (ids, mask), (other_ids, other_mask) = ids_of(tiny_backbone, texts), ids_of(tiny_backbone, renderings)
    width = max(ids.shape[1], other_ids.shape[1])
    pad = tiny_backbone.tokenizer.pad_token_id
    ids, other_ids = (nn.functional.pad(part, (0, width - part.shape[1]), value=pad) for part in (ids, other_ids))
    mask, other_mask = (nn.functional.pad(part, (0, width - part.shape[1])) for part in (mask, other_mask))
    formula = {
        "relu-sum": lambda h, x: h.clamp(min=0) + x.clamp(min=0),
        "sum": lambda h, x: h + x,
        "product": lambda h, x: h * x,
    }[fusion]
    with torch.no_grad():
        entering = merged(input_ids=other_ids, attention_mask=other_mask, output_hidden_states=True).hidden_states
        for number, layer in enumerate(merged.encoder.layer):
            for position, name in enumerate(("query", "value")):
                second = second_of(maps[2 * number + position])
                hook = partial(add_formula, formula=formula, entering=entering[number], low_rank=second)
                getattr(layer.attention.self, name).register_forward_hook(hook)
        states = merged(input_ids=ids, attention_mask=mask).last_hidden_state
        expected = fitted.module.head(states[:, 0])
    np.testing.assert_allclose(fitted.predict(texts), expected.numpy(), atol=2e-5)


def test_the_second_stage_begins_as_the_first_ended_and_leaves_it_as_it_is(tiny_backbone: Backbone) -> None:
    fitted = METHOD.fit(TRAIN, DEV, fit_context(tiny_backbone))
    assert isinstance(fitted, Adaptable)
    before, scores = copied(fitted.module), fitted.predict(RENDERED_TEST)
    unmoved = begin_second(METHOD.module_with(weights(fitted), False, 1, fit_context(tiny_backbone)), 3)
    start = FittedFLARE(METHOD, unmoved, fit_context(tiny_backbone), fitted.summary)
    np.testing.assert_allclose(start.predict(RENDERED_TEST), scores, atol=1e-5)
    adapted = fitted.adapt(RENDERED_TRAIN, DEV, fit_context(tiny_backbone, seed=2))
    assert same(copied(fitted.module), before)
    np.testing.assert_array_equal(fitted.predict(RENDERED_TEST), scores)
    assert not np.allclose(adapted.predict(RENDERED_TEST), scores, atol=1e-2)
    pairs = zip(encoder_of(adapted.module).maps, encoder_of(fitted.module).maps, strict=True)
    assert all(torch.equal(a.first.up.weight, b.first.up.weight) for a, b in pairs), "frozen"
    maps = encoder_of(adapted.module).maps
    assert adapted.summary.trainable_parameters == len(maps) * 2 * 4 * 32 + sum(
        parameter.numel() for parameter in adapted.module.head.parameters()
    )


def weights(fitted: Any) -> dict[str, Tensor]:
    return dict(weights_of(fitted.module, fitted.context.backbone))


def test_answers_depend_on_the_rendering_and_not_on_what_is_asked_beside(tiny_backbone: Backbone) -> None:
    fitted = second_stage(tiny_backbone)
    scores = fitted.predict(RENDERED_TEST)
    alone = np.concatenate([fitted.predict([example]) for example in RENDERED_TEST])
    np.testing.assert_allclose(scores, alone, atol=1e-5)
    turned = [RENDERED_TEST[0]._replace(rendering=example.rendering) for example in RENDERED_TEST[:2]]
    first, second = fitted.predict(turned)
    assert np.abs(first - second).max() > 1e-3
    itself = RENDERED_TEST[0]._replace(rendering=None)
    np.testing.assert_allclose(
        fitted.predict([itself]), fitted.predict([itself._replace(rendering=(itself.text, None))]), atol=1e-6
    )


def test_no_state_of_a_rendering_outlives_its_batch(tiny_backbone_with_dropout: Backbone) -> None:
    fitted = second_stage(tiny_backbone_with_dropout)
    encoder = encoder_of(fitted.module).train()
    with pytest.raises(RuntimeError, match="lost"), encoder.beside(lambda: None):
        raise RuntimeError("lost")
    assert encoder.training
    assert all(fused.rendering is None and not fused.reads_rendering for fused in encoder.maps)


def test_both_stages_are_loaded_as_they_were_saved(tiny_backbone: Backbone, tmp_path: Path) -> None:
    fitted = METHOD.fit(TRAIN, DEV, fit_context(tiny_backbone))
    for number, stage in enumerate((fitted, fitted.adapt(RENDERED_TRAIN, DEV, fit_context(tiny_backbone, 2)))):
        folder = tmp_path / str(number)
        stage.save(folder)
        loaded = METHOD.load(folder, fit_context(tiny_backbone, seed=9))
        np.testing.assert_array_equal(loaded.predict(RENDERED_TEST), stage.predict(RENDERED_TEST))
        again = loaded.adapt(RENDERED_TRAIN, DEV, fit_context(tiny_backbone, 3))
        expected = stage.adapt(RENDERED_TRAIN, DEV, fit_context(tiny_backbone, 3))
        np.testing.assert_array_equal(again.predict(RENDERED_TEST), expected.predict(RENDERED_TEST))


FULL = ("--protocol", "full", "--targets", "kat_Geor,tha_Thai", "--seeds", "1", "--steps", "4", "--target-steps", "4")


def test_a_run_is_marked_with_its_resources_and_stands_by_itself(run: Command, command: Command) -> None:
    for method, options in (("flare", ()), ("bitfit", ())):
        said = run("-m", method, "--sources", "eng_Latn", *FULL, *options)
        assert said.code == 0, said.err
    records = [record for record in Store(Path("xlt-results")).records()[0] if record.cell.method == "flare"]
    assert {record.cell.targets for record in records} == {("kat_Geor",), ("tha_Thai",)}
    for record in records:
        assert set(record.cell.resources) == {"translate-train", "translated-test"}
        assert any("an upper bound, not a system" in caveat for caveat in record.caveats)
        assert record.counted["trained_examples"] <= record.counted["budget_examples"]
        assert record.counted["predict_examples"] == 2 * 12
    shown = " ".join(command("leaderboard").out.split())
    assert "Full supervision, with translate-train and translated-test, backbone" in shown


def test_the_tasks_own_texts_in_a_folder_give_the_same_logits(tiny_backbone: Backbone, tmp_path: Path) -> None:
    task, fitted, scores = toy_task(), second_stage(tiny_backbone), []
    for folder in (None, write_translations(tmp_path / "own"), write_translations(tmp_path / "machine", " indeed")):
        scope = Scope(task, ("eng_Latn",), TARGETS, folder)
        supplied = {"translated-test": RESOURCES["translated-test"].supply(scope)}
        scores.append(fitted.predict(rendered(task, contents(supplied)).pool(TARGETS, "test").examples))
    np.testing.assert_array_equal(scores[1], scores[0])
    assert np.abs(scores[2] - scores[0]).max() > 1e-3


def test_machine_translations_give_rows_of_their_own(run: Command, command: Command, tmp_path: Path) -> None:
    machine, other = write_translations(tmp_path / "nllb", " indeed"), write_translations(tmp_path / "other", " well")
    flare = ("-m", "flare", "--sources", "eng_Latn", *FULL, "--targets", "kat_Geor")
    test, train = ("--resource", f"translated-test={machine}"), ("--resource", f"translate-train={machine}")
    for options in ((), test, (*test, *train), ("--resource", f"translated-test={other}", *train)):
        said = run(*flare, *options)
        assert said.code == 0, said.err
    records = list(Store(Path("xlt-results")).records()[0])
    assert len({record.cell.configuration for record in records}) == 4
    assert sum(any("as a folder 'nllb' has it" in caveat for caveat in record.caveats) for record in records) == 3
    shown = " ".join(command("leaderboard").out.split())
    for resources in (
        "translate-train and translated-test",
        "translate-train and translated-test (folder)",
        "translate-train (folder) and translated-test (folder)",
    ):
        assert f"Full supervision, with {resources}, backbone" in shown


def test_a_task_without_parallel_items_takes_two_folders(command: Command, toy_package: Path, tmp_path: Path) -> None:
    task, machine = write_files(tmp_path / "apart"), write_translations(tmp_path / "nllb")
    (task / "task.toml").write_text('items = "separate"\n' + (task / "task.toml").read_text())
    backbone = (toy_package / "xlt_toy.py").read_text().split("'")[1]
    arguments = ("run", "--task", task, "--backbone", backbone, "-m", "flare", "--sources", "eng_Latn", *FULL)
    refused = command(*arguments, "--resource", f"translate-train={machine}")
    assert refused.code == 2
    assert "give translations (--resource translated-test=FOLDER)" in " ".join(refused.err.split())
    both = [word for name in ("translate-train", "translated-test") for word in ("--resource", f"{name}={machine}")]
    said = command(*arguments, *both)
    assert said.code == 0, said.err
    records = list(Store(Path("xlt-results")).records()[0])
    assert [sorted(record.cell.resources) for record in records] == [
        ["translate-train (folder)", "translated-test (folder)"]
    ] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sources", "joshi5", "--protocol", "full"], "there are 3 source languages; give one"),
        (["--sources", "none"], "there are 0 source languages; give one"),
        (["--sources", "eng_Latn"], "use run --protocol full"),
        (["--sources", "eng_Latn", *FULL, "--set", "rank=0"], "flare needs a rank of at least 1 and alpha > 0"),
        (["--sources", "eng_Latn", *FULL, "--set", "alpha=0"], "flare needs a rank of at least 1 and alpha > 0"),
        (["--sources", "eng_Latn", *FULL, "--set", "fusion=attention"], "relu-sum"),
        (
            ["--sources", "eng_Latn", *FULL, "--resource", "translated-test=x"],
            "translated-test: no folder 'x'; give one",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(options: list[str], message: str, run: Command) -> None:
    said = run("-m", "flare", *options)
    assert said.code == 2
    assert message in " ".join(said.err.split())
    assert not Path("xlt-results").exists()


def test_a_backbone_of_another_build_is_refused(tiny_backbone: Backbone) -> None:
    class Other:
        name = "a-decoder"
        architecture = type("Architecture", (), {"model_type": "gpt2"})

    with pytest.raises(ConfigError, match="whose layers take no adapters of this kind"):
        METHOD.check_backbone(Other())  # type: ignore[arg-type]


def test_numbers_of_parameters_on_xlm_r_large() -> None:
    assert 24 * 2 * sum(parameter.numel() for parameter in LowRank(1024, 1024, 8).parameters()) == 786_432
