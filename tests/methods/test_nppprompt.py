"""NPPrompt: transformers' own masked language models give the same scores; what it cannot ask is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from tests.support.architectures import tiny_model
from tests.support.commands import Command
from tests.support.fits import DEV, LABELS, TEST, TRAIN, context
from tests.support.masked_lms import WORDS, PlainMaskedLm
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.conformance.tiny_masked_lm import save_masked_lm
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.method import Context, Reporting
from xlt_bench.methods.nppprompt import NPPrompt
from xlt_bench.records.store import Store
from xlt_bench.resources import Resources, Text
from xlt_bench.task import Example

QUICK = ("bert", "xlm-roberta", "albert")
TYPES = ["distilbert", "electra", "modernbert", "deberta-v2", "rembert"]
ITEMS = TEST.examples[:6]


def given(backbone: Backbone, words: Mapping[str, Sequence[str]] = WORDS, **contents: Any) -> Context:
    """A context with label words."""
    resources = Resources({"label-words": {"eng_Latn": words}, **contents})
    return dataclasses.replace(context(backbone), resources=resources)


@pytest.mark.parametrize("model_type", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in TYPES)])
def test_scores_are_those_of_transformers(model_type: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / model_type, model_type)
    plain = PlainMaskedLm(folder)
    fitted = NPPrompt(label_words=True).fit(TRAIN, DEV, given(Backbone(locate(str(folder)))))
    mask = plain.tokenizer.mask_token
    expected = plain.scores([f"{example.text} This is about {mask}." for example in ITEMS], WORDS, 12)
    np.testing.assert_allclose(fitted.predict(ITEMS), expected, rtol=0, atol=1e-5)


def test_one_neighbour_gives_the_logits_of_the_words(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "bert", "bert")
    plain, single = PlainMaskedLm(folder), {label: words[:1] for label, words in WORDS.items()}
    method = NPPrompt(label_words=True, neighbours=1, template="sentiment")
    scores = method.fit(TRAIN, DEV, given(Backbone(locate(str(folder))), single)).predict(ITEMS)
    logits = [plain.mask_logits(f"{example.text} It was {plain.tokenizer.mask_token}.") for example in ITEMS]
    tokens = [plain.token_of(word) for (word,) in single.values()]
    np.testing.assert_allclose(scores, [row[tokens].tolist() for row in logits], rtol=0, atol=1e-5)


def test_a_pair_stands_in_the_template_of_pairs(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "bert", "bert")
    plain = PlainMaskedLm(folder)
    pair = Example("1", "eng_Latn", "see my old dog", "two cat and bread")
    context_of_pairs = given(Backbone(locate(str(folder))))
    for template, text in (("entailment", "{}? {}, {}"), ("about", "{0} {2} This is about {1}.")):
        scores = NPPrompt(label_words=True, template=template).fit(TRAIN, DEV, context_of_pairs).predict([pair])
        whole = text.format(pair.text, plain.tokenizer.mask_token, pair.text_pair)
        np.testing.assert_allclose(scores, plain.scores([whole], WORDS, 12), rtol=0, atol=1e-5)


def test_a_template_of_the_users_own_may_name_the_choices(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "bert", "bert")
    plain = PlainMaskedLm(folder)
    prepared = given(Backbone(locate(str(folder))), template="Of {choices}: {mask} {text}")
    scores = NPPrompt(label_words=True, template="file").fit(TRAIN, DEV, prepared).predict(ITEMS)
    choices = "dog, red, bread, hand, hammer, rain or shirt"
    whole = [f"Of {choices}: {plain.tokenizer.mask_token} {example.text}" for example in ITEMS]
    np.testing.assert_allclose(scores, plain.scores(whole, WORDS, 12), rtol=0, atol=1e-5)


def test_it_knows_what_its_model_knows_and_tells_by_which_words(tmp_path: Path) -> None:
    save_masked_lm(tmp_path / "lm")
    fitted = NPPrompt().fit(TRAIN, DEV, context(Backbone(locate(str(tmp_path / "lm")))))
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.8
    assert isinstance(fitted, Reporting)
    words = fitted.report(TEST.examples)["label_tokens"]
    assert list(words) == list(LABELS)
    assert next(iter(words["food"]["food"])) == "food"
    assert sum(words["food"]["food"].values()) == pytest.approx(1.0, abs=1e-3)
    assert fitted.summary.trainable_parameters == fitted.summary.steps == 0


@pytest.mark.parametrize("calibration", ["contextual", "batch"])
def test_calibration_divides_the_shares(calibration: str, tmp_path: Path) -> None:
    save_masked_lm(tmp_path / "lm")
    texts = {"eng_Latn": tuple(Text(example.text, example.text_pair) for example in TRAIN.examples)}
    prepared = given(Backbone(locate(str(tmp_path / "lm"))), **{"unlabelled-target": texts})
    plain = NPPrompt().fit(TRAIN, DEV, prepared)
    fitted = NPPrompt(calibration=calibration).fit(TRAIN, DEV, prepared)  # type: ignore[arg-type]
    said_of = plain.predict(TRAIN.examples if calibration == "batch" else [empty(text) for text in FREE])
    shares = np.exp(said_of) / np.exp(said_of).sum(1, keepdims=True)
    expected = plain.predict(ITEMS) - np.log(shares.mean(0))
    np.testing.assert_allclose(fitted.predict(ITEMS), expected, rtol=0, atol=1e-5)


FREE = ("N/A", "[MASK]", "")


def empty(text: str) -> Example:
    return Example("", "eng_Latn", text)


def test_backbones_without_head_or_mask_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"no masked language model head \(type 'gpt2' has none\).*nano"):
        NPPrompt().check_backbone(locate(str(tiny_model(tmp_path / "gpt2", "gpt2"))))
    folder = tiny_model(tmp_path / "lost", "xlm-roberta")
    weights = {name: value for name, value in load_file(folder / "model.safetensors").items() if "lm_head" not in name}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackboneError, match="no masked language model head"):
        NPPrompt().check_backbone(locate(str(folder)))
    folder = tiny_model(tmp_path / "unmasked", "bert")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(BackboneError, match=r"has no mask token, which .*; set tokenizer\.mask_token"):
        NPPrompt().check_backbone(locate(str(folder)))


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="no template 'abuot'; did you mean 'about'"):
        NPPrompt(template="abuot")
    with pytest.raises(ConfigError, match="neighbours is a number of tokens, 1 or more, not 0"):
        NPPrompt(neighbours=0)


SAME = '[eng_Latn]\nanimal = ["dog"]\ncolour = ["dog"]\nfood = ["soup"]\n'


@pytest.mark.parametrize(
    ("settings", "files", "message"),
    [
        (["template=file"], {"template": "{text} is what?"}, "has {mask} 0 times; write it once, such as"),
        (["template=file"], {}, "the method needs template"),
        (["label_words=true"], {"label-words": SAME}, "'dog' of class 'animal' and 'dog' of 'colour' begin with"),
        (["neighbours=9999"], {}, "the vocabulary of backbone"),
        (["template=file"], {"template": "{text} {mask}" + " word" * 80}, "leaves no room for text in 64"),
    ],
    ids=["no mask", "no file", "one word", "neighbours", "long"],
)
def test_what_cannot_be_asked_is_said_before_anything_runs(
    run: Command, settings: Sequence[str], files: Mapping[str, str], message: str
) -> None:
    options: list[str] = [word for setting in settings for word in ("--set", setting)]
    for name, content in files.items():
        Path(f"{name}.txt").write_text(content, encoding="utf-8")
        options += ["--resource", f"{name}={name}.txt"]
    said = run("-m", "nppprompt", "--targets", "kat_Geor", "--seeds", "1", *options)
    assert said.code == 2
    assert message in " ".join(said.err.split())
    assert len(said.err.strip().splitlines()) <= 6, "one line, wrapped"
    assert not Path("xlt-results").exists() or not Store(Path("xlt-results")).records()[0]


def test_a_record_has_the_words_and_the_board_a_note_of_those_that_are_cut(run: Command) -> None:
    said = run("-m", "nppprompt", "--targets", "kat_Geor", "--seeds", "1")
    assert said.code == 0, said.err
    (record,) = Store(Path("xlt-results")).records()[0]
    assert record.selected_on == "nothing"
    assert set(record.fit["report"]["label_tokens"]) == {"animal", "colour", "food"}
    assert "Label words of several tokens are scored by their first: animal by a" in " ".join(said.out.split())


def test_its_page_says_what_it_needs(program: Command) -> None:
    page = program("ls", "methods", "nppprompt").out
    assert "Backbone: yes, with its masked language model head" in page
    assert "neighbours = 12" in page
    assert "Fit: nothing is trained, the masked language model is asked" in page
