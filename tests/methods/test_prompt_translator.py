"""prompt-translator: what it does not translate is SPT on the same labels, and what it learns from pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, context, copied, loud, same, shake
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context
from xlt_bench.methods.prompt_translator import (
    TRANSLATION,
    FittedTranslator,
    PromptTranslator,
    TranslatedPrompts,
    divergence,
    pair_batches,
)
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.records.store import Store
from xlt_bench.resources import PARALLEL_DISJOINT, Resources, Text
from xlt_bench.resources.parallel_disjoint import TextPair
from xlt_bench.training.data import NO_CLASS, TrainData, tokenised
from xlt_bench.training.losses import CROSS_ENTROPY
from xlt_bench.training.prompted import PromptedForward, PromptedTexts

TARGETS = ("kat_Geor", "tha_Thai")


def pairs_of(texts: Sequence[str], translations: Sequence[str]) -> tuple[TextPair, ...]:
    pairs = zip(texts, translations, strict=True)
    return tuple(TextPair("eng_Latn", Text(text), Text(translation)) for text, translation in pairs)


WORDS = [example.text for example in TEST.examples]
PAIRS = {"kat_Geor": pairs_of(WORDS[:13], WORDS[20:33]), "tha_Thai": pairs_of(WORDS[:5], WORDS[5:10])}


def paired_context(backbone: Backbone, pairs: dict[str, tuple[TextPair, ...]] = PAIRS, steps: int = 12) -> Context:
    resources = Resources({PARALLEL_DISJOINT: MappingProxyType(pairs)})
    return replace(context(backbone, loud(steps=steps)), resources=resources)


def data_of(method: PromptTranslator, given: Context) -> TrainData:
    return tokenised(TRAIN, DEV, given, method.n_tokens, unlabelled=method.unlabelled(given))


def test_with_weight_0_it_is_spt_bit_for_bit(tiny_backbone_with_dropout: Backbone) -> None:
    given = paired_context(tiny_backbone_with_dropout)
    translated, standard = (
        method.fit(TRAIN, DEV, given) for method in (PromptTranslator(n_tokens=7, weight=0.0), SPT(n_tokens=7))
    )
    assert same(copied(translated.module), copied(standard.module))
    assert translated.summary == standard.summary
    np.testing.assert_array_equal(translated.predict(TEST.examples), standard.predict(TEST.examples))


def test_translators_begin_as_the_sources_prompt_for_every_language(tiny_backbone: Backbone) -> None:
    """Before any step it answers as SPT with the same start does, in any language, bit for bit."""
    given = paired_context(tiny_backbone)
    method, standard = PromptTranslator(n_tokens=7), SPT(n_tokens=7)
    fitted = method.fitted(method.new_module(given), given, method.fit(TRAIN, DEV, given).summary)
    scores = standard.fitted(standard.new_module(given), given, fitted.summary).predict(TEST.examples)
    for code in (*TARGETS, "eng_Latn", "swh_Latn"):
        examples = [example._replace(language=code) for example in TEST.examples]
        np.testing.assert_array_equal(fitted.predict(examples), scores)


def test_each_language_is_answered_behind_the_prompt_of_its_translator(tiny_backbone: Backbone) -> None:
    given = paired_context(tiny_backbone)
    method = PromptTranslator(n_tokens=7)
    module = method.new_module(given)
    shake(module.parameters())
    fitted = method.fitted(module, given, method.fit(TRAIN, DEV, given).summary)
    prompts = fitted.module.prompt
    assert isinstance(prompts, TranslatedPrompts)
    mixed = [example._replace(language=[*TARGETS, "swh_Latn"][row % 3]) for row, example in enumerate(TEST.examples)]
    with torch.no_grad():
        source = prompts.source()
        expected = {"swh_Latn": source, **{code: source + prompts.translators[code](source) for code in TARGETS}}
        for row in range(6):
            code = mixed[row].language
            alone = fitted.scores_behind(expected[code], [mixed[row]])
            np.testing.assert_allclose(fitted.predict(mixed)[row], alone[0], atol=1e-5)
        texts = PromptedTexts(torch.zeros(3, 1, 32), torch.ones(3, 1), (*TARGETS, "swh_Latn"))
        torch.testing.assert_close(prompts(texts), torch.stack([expected[code] for code in texts.languages]))
    assert not torch.equal(expected["kat_Geor"], expected["tha_Thai"])


def test_half_of_the_texts_of_a_batch_are_labelled_and_half_are_of_pairs_of_targets_in_turn(
    tiny_backbone: Backbone,
) -> None:
    given, method = paired_context(tiny_backbone), PromptTranslator()
    data = data_of(method, given)
    pairs = sum(map(len, PAIRS.values()))
    assert (len(data.train), data.items) == (len(TRAIN) + 2 * pairs, len(TRAIN))
    assert set(data.train.gold[data.items :]) == {NO_CLASS}
    languages = np.asarray(data.train.origin.languages)[data.train.origin.language.numpy()]
    batches = list(islice(method.batches(data, given.recipe, 1), 16))
    halved = replace(given.recipe, batch_size=4)
    for batch, alone in zip(batches, SPT().batches(data, halved, 1), strict=False):
        np.testing.assert_array_equal(batch[: len(alone)], alone)
        sources, targets = np.split(batch[len(alone) :], 2)
        np.testing.assert_array_equal(targets - sources, pairs)
        assert len(batch) <= given.recipe.batch_size == 8
        assert 1 <= len(sources) <= 2
        assert set(languages[sources]) == {"eng_Latn"}
        assert len(set(languages[targets])) == 1
    assert [languages[batch[-1]] for batch in batches] == ["kat_Geor", "tha_Thai"] * 8
    georgian = [row for batch in islice(pair_batches(data, 4, 1), 8) for row in batch if languages[row] == "kat_Geor"]
    assert len(set(georgian)) == len(georgian) == 13, "an epoch of its own: each pair once"


def test_the_terms_are_those_of_torch_and_the_source_answer_is_held_fixed() -> None:
    logits = torch.randn(10, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    source, target = logits.detach().softmax(1).chunk(2)
    expected = (source * (source.log() - target.log())).sum(1).mean()
    term = divergence(logits)
    torch.testing.assert_close(term, expected)
    torch.testing.assert_close(term, functional.kl_div(target.log(), source, reduction="batchmean"))
    (gradient,) = torch.autograd.grad(term, logits)
    assert not gradient[:5].any()
    torch.testing.assert_close(gradient[5:], (target - source) / 5)


def test_the_divergence_of_equal_texts_is_0_at_the_start_and_has_no_gradient(tiny_backbone: Backbone) -> None:
    given = paired_context(tiny_backbone, {"kat_Geor": pairs_of(WORDS[:9], WORDS[:9])})
    method = PromptTranslator(n_tokens=7)
    module, data = method.new_module(given).eval(), data_of(method, given)
    batch = data.train.batch(next(method.batches(data, given.recipe, 1)))
    forward = PromptedForward(tiny_backbone, data.train.texts.pad_id, loss=method.loss)
    (terms,) = forward.gradients([module], [batch])
    assert abs(float(terms[TRANSLATION])) < 1e-6
    assert float(terms[CROSS_ENTROPY]) > 0.1
    prompts = module.prompt
    assert isinstance(prompts, TranslatedPrompts)
    last = prompts.translators["kat_Geor"].get_submodule("6")
    assert isinstance(last, torch.nn.Linear)
    assert last.weight.grad is not None
    assert float(last.weight.grad.abs().max()) < 1e-6


def test_a_step_is_cross_entropy_of_the_items_and_the_divergence_of_the_pairs(tiny_backbone: Backbone) -> None:
    given, method = paired_context(tiny_backbone), PromptTranslator(n_tokens=7, weight=3.0)
    module, data = method.new_module(given).eval(), data_of(method, given)
    shake(module.parameters())
    rows = next(method.batches(data, given.recipe, 1))
    batch = data.train.batch(rows)
    forward = PromptedForward(tiny_backbone, data.train.texts.pad_id, loss=method.loss)
    (terms,) = forward.gradients([module], [batch])
    fitted = FittedTranslator(method, module, given, method.fit(TRAIN, DEV, given).summary)
    items = TRAIN.take(rows[:4])
    expected = functional.cross_entropy(torch.tensor(fitted.predict(items.examples)), torch.tensor(items.gold))
    unlabelled = method.unlabelled(given)
    answers = torch.tensor(fitted.predict([unlabelled[row - data.items] for row in rows[4:]]))
    torch.testing.assert_close(terms[CROSS_ENTROPY], expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(terms[TRANSLATION], 3.0 * divergence(answers), atol=1e-5, rtol=1e-5)


def test_translations_bring_the_answers_to_pairs_together(tiny_backbone: Backbone) -> None:
    """Of what was trained without the term, the answers to the two texts of a pair lie further apart."""
    given = paired_context(
        tiny_backbone, {"kat_Geor": pairs_of(WORDS[:13], [f"{word} ." for word in WORDS[20:33]])}, 60
    )
    pairs = given.resources[PARALLEL_DISJOINT]["kat_Geor"]
    fits = [PromptTranslator(weight=weight).fit(TRAIN, DEV, given) for weight in (0.0, 5.0)]
    apart = []
    for fitted in fits:
        sides = [("eng_Latn", [pair.source for pair in pairs]), ("kat_Geor", [pair.target for pair in pairs])]
        answers = [
            fitted.predict([TEST.examples[0]._replace(language=code, text=text.text) for text in texts])
            for code, texts in sides
        ]
        apart.append(float(divergence(torch.tensor(np.concatenate(answers)))))
    assert apart[1] < 0.5 * apart[0]


def test_a_run_learns_from_half_of_the_labels_and_says_so(run: Command, command: Command) -> None:
    options = ("--sources", "eng_Latn,deu_Latn", "--targets", "kat_Geor,tha_Thai", "--seeds", "1", "--steps", "4")
    for weight in ("1", "0"):
        said = run("-m", "prompt-translator", *options, "--set", f"weight={weight}")
        assert said.code == 0, said.err
    records = Store(Path("xlt-results")).records()[0]
    assert all(list(record.cell.resources) == [PARALLEL_DISJOINT] for record in records)
    (note,) = records[0].caveats
    labelled = int(note.split()[4])
    assert 0 < labelled < 36, "of the 18 train items of two sources"
    assert f"Had the labels of {labelled} of the 36 train items of its sources, and {36 - labelled} pairs" in note
    assert all(record.counted["trained_examples"] <= record.counted["budget_examples"] for record in records)
    assert "zero-shot, with parallel-disjoint" in " ".join(command("leaderboard").out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sources", "none"], "--sources none learns from all labels of a target's train split"),
        (["--protocol", "full"], "--protocol full learns from all labels of a target's train split"),
        (["--sources", "eng_Latn", "--targets", "sources"], "all targets (eng_Latn) are sources"),
        (["--set", "weight=-1"], "prompt-translator needs hidden of at least 1"),
        (["--set", "hidden=0"], "prompt-translator needs hidden of at least 1"),
        (["--set", "dropout=1"], "0 <= dropout < 1"),
        (["--set", "n_tokens=0"], "n_tokens >= 1"),
        (["--set", "consistency=5"], "makes batches of its own"),
        (["--examples", "30"], "--examples must lie between 1 and the sources' "),
        (["--resource", "parallel-disjoint=x"], "the method takes no such file or folder"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(options: list[str], message: str, run: Command) -> None:
    said = run("-m", "prompt-translator", *([] if "--sources" in options else ["--sources", "eng_Latn"]), *options)
    assert said.code == 2
    assert message in " ".join(said.err.split())
    assert not Path("xlt-results").exists()


def test_numbers_of_parameters_on_xlm_r_large() -> None:
    translator = PromptTranslator()._new_translator(1024)
    assert sum(parameter.numel() for parameter in translator.parameters()) == 591_360
    assert sum(parameter.numel() for parameter in XPE().build(1024).parameters()) == 591_360 + 20 * 1024


def test_consistency_needs_batches_that_it_does_not_make() -> None:
    with pytest.raises(ConfigError, match="leave consistency out"):
        PromptTranslator(consistency=5.0)
