"""Soft language prompts: without them SPT and XPE; the language stage against peft; the whole input by transformers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PromptTuningConfig, get_peft_model
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel, AutoModelForMaskedLM

from tests.support.architectures import tiny_model
from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, loud, same, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, LanguageFit, LanguageFits, LanguageSummary
from xlt_bench.methods.soft_language_prompt import PromptedEncoder, SoftLanguagePrompt, start_of
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.records.store import Store
from xlt_bench.resources import Text
from xlt_bench.task import Example
from xlt_bench.training.language_fit import fit_masked_lm
from xlt_bench.training.masked_lm import MaskedLm
from xlt_bench.training.masking import Masking, guessing_loss
from xlt_bench.training.soft_prompt import SoftPrompt

SOURCE, TARGET, UNNAMED = "eng_Latn", "kat_Geor", "tha_Thai"
SUMMARY = LanguageSummary(2, 1, 3, 3, 2.0, 1.0, 5)
LIMIT = 1e-5


def language_prompts(backbone: Backbone, vectors: int, codes: tuple[str, ...] = (SOURCE, TARGET)) -> LanguageFits:
    """Random ones, as if they had been fitted; the first language has labels."""
    width, random = backbone.architecture.prompt_width, torch.Generator().manual_seed(11)
    prompts = {code: torch.randn(vectors, width, generator=random) for code in codes}
    return LanguageFits({code: LanguageFit({"prompt": prompt}, SUMMARY) for code, prompt in prompts.items()}, (SOURCE,))


def given(backbone: Backbone, vectors: int, codes: tuple[str, ...] = (SOURCE, TARGET)) -> Context:
    return replace(context(backbone), languages=language_prompts(backbone, vectors, codes))


class AlwaysBeside(SoftLanguagePrompt):
    """Puts prompts of languages beside that of the task even where they have no vectors."""

    @property
    def per_item(self) -> bool:
        return True


PLAIN: dict[str, SoftPrompt] = {"spt": SPT(n_tokens=7), "xpe": XPE(n_tokens=7, hidden=16)}


def without_languages(kind: type[SoftLanguagePrompt], task: str) -> SoftLanguagePrompt:
    return kind(task=task, n_tokens=7, hidden=16, language_tokens=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("task", PLAIN)
def test_no_language_prompt_is_spt_or_xpe_bit_for_bit(task: str, tiny_backbone_with_dropout: Backbone) -> None:
    """Parameters, history, scores, and what adapting makes of them, with the dropout of backbone, head and encoder."""
    prepared = given(tiny_backbone_with_dropout, 0)
    method, plain = without_languages(SoftLanguagePrompt, task), PLAIN[task]
    fits = [kind.fit(TRAIN, DEV, prepared) for kind in (method, plain)]
    fits += [fitted.adapt(TRAIN, DEV, prepared) for fitted in fits]
    for ours, theirs in (fits[:2], fits[2:]):
        assert same(copied(ours.module), copied(theirs.module))
        assert ours.summary == theirs.summary
        np.testing.assert_array_equal(ours.predict(TEST.examples), theirs.predict(TEST.examples))
    assert method.needs == frozenset()


@pytest.mark.parametrize("task", PLAIN)
def test_empty_language_prompts_beside_that_of_the_task_change_nothing(task: str, tiny_backbone: Backbone) -> None:
    """The same through the pass of prompts that depend on the item, which sums in another order."""
    prepared = given(tiny_backbone, 0)
    ours, theirs = (method.fit(TRAIN, DEV, prepared) for method in (without_languages(AlwaysBeside, task), PLAIN[task]))
    state = {name.replace("prompt.task.", "prompt."): value for name, value in copied(ours.module).items()}
    assert difference(state, copied(theirs.module)) < 1e-4
    np.testing.assert_allclose(ours.predict(TEST.examples), theirs.predict(TEST.examples), rtol=0, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft asks for its old name
@pytest.mark.parametrize("model_type", ["xlm-roberta", "bert"])
def test_the_loss_of_a_language_is_that_of_peft_and_the_head(model_type: str, tmp_path: Path) -> None:
    """Prompt tuning for feature extraction, the language model's own head on its states: loss and gradient."""
    folder = tiny_model(tmp_path, model_type, {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    backbone, vectors = Backbone(locate(str(folder))), 5
    texts = backbone.tokenise([(example.text, None) for example in TRAIN.examples], 32)
    masked = Masking(backbone.tokenizer)(texts.batch(range(len(texts))), torch.Generator().manual_seed(0))
    encoder = PromptedEncoder(backbone.frozen, torch.randn(vectors, backbone.architecture.prompt_width))
    loss = guessing_loss(backbone, encoder, masked)
    loss.backward()

    config = PromptTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=vectors)
    peft: Any = get_peft_model(AutoModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False), config)
    table = peft.eval().prompt_encoder["default"].embedding.weight
    table.data.copy_(encoder.prompt.detach())
    states = peft(input_ids=masked.batch.ids, attention_mask=masked.batch.mask).last_hidden_state[:, vectors:]
    model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    head = model.lm_head if model_type == "xlm-roberta" else model.cls
    expected = functional.cross_entropy(head(states[masked.chosen]), masked.words[masked.chosen], reduction="sum")
    expected.backward()
    count = int(masked.chosen.sum())
    torch.testing.assert_close(loss.detach() / count, expected.detach() / count, rtol=0, atol=LIMIT)
    assert encoder.prompt.grad is not None
    torch.testing.assert_close(encoder.prompt.grad / count, table.grad / count, rtol=0, atol=LIMIT)
    assert float(table.grad.abs().max()) / count > 1e-3, "or the test shows nothing"


def test_the_words_that_a_prompt_starts_from(tiny_backbone: Backbone) -> None:
    tokenizer, table = tiny_backbone.tokenizer, tiny_backbone.frozen.get_input_embeddings().get_parameter("weight")
    ids = tokenizer("Generate the output in German:", add_special_tokens=False)["input_ids"]
    vectors = len(ids) + 3
    assert torch.equal(start_of("deu_Latn", tiny_backbone, vectors), table[torch.tensor([*ids, *ids[:3]])])
    assert not torch.equal(start_of("fra_Latn", tiny_backbone, vectors), start_of("deu_Latn", tiny_backbone, vectors))
    assert start_of("xyz_Latn", tiny_backbone, 4).shape == (4, table.shape[1]), "of a language without a name"


def stage_context(backbone: Backbone, steps: int) -> Context:
    method = SoftLanguagePrompt(language_steps=steps)
    return context(backbone, method.recipe_for("cldr", short("cldr", "spt")))


TEXTS = tuple(Text(example.text) for example in TRAIN.examples)


def test_a_language_learns_a_prompt_and_the_backbone_stays_as_it_was(tiny_backbone_with_dropout: Backbone) -> None:
    backbone, method = tiny_backbone_with_dropout, SoftLanguagePrompt(language_tokens=6)
    before = backbone.weights_hash()
    first, again = (method.fit_language(SOURCE, TEXTS, stage_context(backbone, 30)) for _ in range(2))
    assert same(dict(first.weights), dict(again.weights))
    assert not torch.equal(first.weights["prompt"], start_of(SOURCE, backbone, 6))
    summary = first.summary
    assert summary.trained_parameters == 6 * backbone.architecture.prompt_width
    assert (summary.texts, summary.held_out, summary.steps) == (60, 3, 30)
    assert summary.loss_after < summary.loss_before
    assert backbone.weights_hash() == before
    assert not backbone.frozen.training


def test_the_loss_before_is_that_of_the_encoder_alone_on_texts_that_are_cut_alike(tiny_backbone: Backbone) -> None:
    """Texts are cut to what the prompt leaves of the positions, with the prompt and without."""
    few = replace(tiny_backbone.architecture, positions=20)
    backbone = Backbone(replace(tiny_backbone.source, architecture=few))
    method = SoftLanguagePrompt(language_tokens=12)
    summary = method.fit_language(SOURCE, TEXTS, stage_context(backbone, 1)).summary
    prepared = stage_context(backbone, 1)
    assert prepared.recipe.language is not None
    cut = fit_masked_lm(
        MaskedLm(backbone.frozen, (), positions=12), SOURCE, TEXTS, prepared, prepared.recipe.language, None
    )
    whole = fit_masked_lm(MaskedLm(backbone.frozen, ()), SOURCE, TEXTS, prepared, prepared.recipe.language, None)
    assert summary.loss_before == cut.loss_before == cut.loss_after
    assert summary.loss_before != whole.loss_before
    assert (cut.steps, cut.trained_parameters) == (0, 0)


def test_without_vectors_a_language_has_an_empty_prompt(tiny_backbone: Backbone) -> None:
    fitted = SoftLanguagePrompt(language_tokens=0).fit_language(SOURCE, TEXTS, stage_context(tiny_backbone, 3))
    assert fitted.weights["prompt"].shape == (0, tiny_backbone.architecture.prompt_width)
    assert (fitted.summary.steps, fitted.summary.trained_parameters) == (0, 0)
    assert fitted.summary.loss_before == fitted.summary.loss_after


def in_languages(*codes: str) -> list[Example]:
    return [example._replace(language=code) for example in TEST.examples[:6] for code in codes]


@torch.no_grad()
def transformers_scores(
    folder: Path, head: torch.nn.Module, prompts: dict[str, Tensor], examples: list[Example]
) -> Any:
    """Of whole inputs, one at a time: prompt of task and language, then the text; the head reads position 0."""
    backbone: Any = Backbone(locate(str(folder)))
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for example in examples:
        ids = backbone.tokenizer(example.text, return_tensors="pt")["input_ids"]
        embedded = torch.cat([prompts[example.language][None], model.get_input_embeddings()(ids)], 1)
        rows.append(head(model(inputs_embeds=embedded).last_hidden_state[:, 0]))
    return torch.cat(rows).numpy()


@pytest.mark.parametrize("task", ["spt", "xpe"])
@pytest.mark.parametrize("model_type", ["xlm-roberta", "albert"])
def test_the_task_comes_first_then_the_language_then_the_text(model_type: str, task: str, tmp_path: Path) -> None:
    """As transformers computes it; XLM-R goes through the lean pass, ALBERT through its own."""
    folder = tiny_model(tmp_path, model_type)
    backbone = Backbone(locate(str(folder)))
    prepared = given(backbone, 4)
    method = SoftLanguagePrompt(task=task, n_tokens=3, language_tokens=4)  # type: ignore[arg-type]
    fitted = method.fit(TRAIN, DEV, prepared)
    task_prompt = fitted.module.prompt.get_submodule("task")().detach()
    codes = {SOURCE: SOURCE, TARGET: TARGET, UNNAMED: SOURCE}
    prompts = {
        code: torch.cat([task_prompt, prepared.languages.fits[origin].weights["prompt"]])
        for code, origin in codes.items()
    }
    examples = in_languages(*codes)
    expected = transformers_scores(folder, fitted.module.head, prompts, examples)
    scores = fitted.predict(examples)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=LIMIT)
    assert not np.allclose(scores[0], scores[1], atol=1e-3), "the language's prompt changes what is said of a text"


def test_the_prompts_of_languages_are_not_trained_and_the_task_is(tiny_backbone: Backbone) -> None:
    prepared = given(tiny_backbone, 4)
    method = SoftLanguagePrompt(n_tokens=3, language_tokens=4)
    start = copied(method.new_module(prepared))
    before = {code: fit.weights["prompt"].clone() for code, fit in prepared.languages.fits.items()}
    fitted = method.fit(TRAIN, DEV, replace(prepared, recipe=loud(steps=40)))
    trained = copied(fitted.module)
    assert not torch.equal(trained["prompt.task.weight"], start["prompt.task.weight"])
    head = sum(parameter.numel() for parameter in fitted.module.head.parameters())
    assert fitted.summary.trainable_parameters == 3 * tiny_backbone.architecture.prompt_width + head
    assert all(torch.equal(prepared.languages.fits[code].weights["prompt"], value) for code, value in before.items())
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.8


def test_without_swapping_the_sources_mean_stands_there_and_no_text_is_declared(tiny_backbone: Backbone) -> None:
    fits = language_prompts(tiny_backbone, 4, (SOURCE, TARGET, UNNAMED))
    languages = LanguageFits(fits.fits, (SOURCE, UNNAMED))
    kept = SoftLanguagePrompt(n_tokens=3, language_tokens=4, swap=False)
    fitted = kept.fit(TRAIN, DEV, replace(context(tiny_backbone), languages=languages))
    mean = (fits.fits[SOURCE].weights["prompt"] + fits.fits[UNNAMED].weights["prompt"]) / 2
    own = {TARGET: LanguageFit({"prompt": mean}, SUMMARY)}
    swapped = replace(kept, swap=True)
    other = replace(fitted.context, languages=LanguageFits({**languages.fits, **own}, languages.labelled))
    expected = swapped.fitted(swapped.copy_of(fitted.module, other), other, fitted.summary)
    np.testing.assert_allclose(
        fitted.predict(in_languages(TARGET)), expected.predict(in_languages(TARGET)), rtol=0, atol=LIMIT
    )
    assert kept.needs == frozenset()
    assert SoftLanguagePrompt().needs == {"unlabelled-target"}
    assert SoftLanguagePrompt(text="folder", consistency=1.0).needs == {"unlabelled-folder", "source-parallel"}


def test_adapting_takes_the_prompts_of_its_own_fit(tiny_backbone: Backbone) -> None:
    """Under the full protocol the fit on the sources knows no target, and adapting to one brings its prompt."""
    method = SoftLanguagePrompt(n_tokens=3, language_tokens=4)
    source = method.fit(TRAIN, DEV, given(tiny_backbone, 4, (SOURCE,)))
    before = source.predict(in_languages(TARGET))
    with_target = replace(given(tiny_backbone, 4), recipe=short(steps=1).with_rates(prompt=0.0, head=0.0))
    adapted = source.adapt(TRAIN, DEV, with_target)
    expected = method.fitted(method.copy_of(source.module, with_target), with_target, source.summary)
    after = adapted.predict(in_languages(TARGET))
    np.testing.assert_array_equal(after, expected.predict(in_languages(TARGET)))
    assert not np.allclose(after, before, atol=1e-3)
    np.testing.assert_array_equal(source.predict(in_languages(TARGET)), before)


def test_what_it_learned_is_loaded(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Without the prompts of languages, which lie in the store."""
    method, prepared = SoftLanguagePrompt(task="xpe", n_tokens=3, language_tokens=4), given(tiny_backbone, 4)
    fitted = method.fit(TRAIN, DEV, prepared)
    fitted.save(tmp_path)
    assert not (tmp_path / "cached_prompt.safetensors").exists()
    loaded = method.load(tmp_path, prepared)
    np.testing.assert_array_equal(loaded.predict(in_languages(TARGET)), fitted.predict(in_languages(TARGET)))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="a prompt has language_tokens >= 0, not -1"):
        SoftLanguagePrompt(language_tokens=-1)
    with pytest.raises(ConfigError, match="language_steps of soft-language-prompt must be at least 1, and is 0"):
        SoftLanguagePrompt(language_steps=0)
    with pytest.raises(ConfigError, match="spt needs n_tokens >= 1, not 0"):
        SoftLanguagePrompt(n_tokens=0)
    with pytest.raises(ConfigError, match="xpe needs n_tokens and hidden of at least 1"):
        SoftLanguagePrompt(task="xpe", hidden=0)


def test_a_run_stores_each_language_once_and_says_what_it_learned(run: Command) -> None:
    settings = ("--set", "language_steps=3", "--set", "language_tokens=4", "--set", "task=xpe")
    said = run("-m", "soft-language-prompt", *settings, "--seeds", "2", "--steps", "4", "--targets", "unseen")
    assert said.code == 0, said.err
    records = list(Store(Path("xlt-results")).records()[0])
    assert [record.status for record in records] == ["complete", "complete"]
    assert len(list(Path("xlt-results/.languages").iterdir())) == 5, "three sources and two targets, for both seeds"
    for record in records:
        assert {part["steps"] for part in record.fit["languages"].values()} == {3}
        assert list(record.cell.resources) == ["unlabelled-target"]
