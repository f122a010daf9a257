"""Log-likelihoods and greedy answers against plain transformers, one prompt at a time, without a cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tests.support.architectures import tiny_model
from xlt_bench.backbones.architectures.decoders import DECODERS
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.prompting.causal_lm import CausalLM

BEGINNING = "the river of old jazz see my quick dog now here two"
PROMPTS = [f"{BEGINNING} {text}" for text in ("cat", "the green horse and rain this", "soup", "saw nail wind hat now")]
WORDS = [" dog", " quick river", " red jazz shoe now", " of"]
JOINED = ("the ho", ["rse", "r"])
"""A prompt, and what may follow it without a blank."""
QUICK = ("gemma3_text", "llama")
"""The other types are left to the longer tier."""
TYPES = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in DECODERS]


@pytest.fixture(scope="module", params=TYPES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny decoder of each type; some attend to a window of 8 or 12 tokens, and the prompts are longer."""
    return tiny_model(tmp_path_factory.mktemp(request.param), request.param)


def opened(folder: Path, tokens: int | None = None) -> CausalLM:
    return CausalLM(Backbone(locate(str(folder))), special=False, tokens=tokens)


@torch.no_grad()
def plain_likelihoods(folder: Path) -> np.ndarray:  # type: ignore[type-arg]
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    sums = []
    for prompt in PROMPTS:
        start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        for word in WORDS:
            ids = torch.tensor([tokenizer(prompt + word, add_special_tokens=False)["input_ids"]])
            logs = model(input_ids=ids, use_cache=False).logits.log_softmax(2)[0]
            sums.append(sum(float(logs[place - 1, ids[0, place]]) for place in range(start, ids.shape[1])))
    return np.array(sums).reshape(len(PROMPTS), len(WORDS))


def likelihoods(model: CausalLM) -> np.ndarray:  # type: ignore[type-arg]
    return np.stack([logs for logs, _ in model.log_likelihoods(PROMPTS, [WORDS] * len(PROMPTS))])


def test_log_likelihoods_are_those_of_plain_transformers(folder: Path) -> None:
    model = opened(folder)
    np.testing.assert_allclose(likelihoods(model), plain_likelihoods(folder), rtol=1e-5, atol=1e-5)
    tokens = [counts.tolist() for _, counts in model.log_likelihoods(PROMPTS[:1], [WORDS])]
    tokenizer = model.backbone.tokenizer
    assert tokens == [[len(tokenizer(word, add_special_tokens=False)["input_ids"]) for word in WORDS]]


def test_greedy_answers_are_those_of_plain_transformers(folder: Path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    expected = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        mask = torch.ones_like(ids)
        answer = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=6)
        expected.append(tokenizer.decode(answer[0, ids.shape[1] :], skip_special_tokens=True))
    for tokens in (None, 1):
        answers = opened(folder, tokens).answers(PROMPTS, 6)
        assert [answer and answer.text for answer in answers] == expected


def test_prompts_within_a_window_and_beyond_it(tmp_path: Path) -> None:
    """The shorter ones go through together, the longer ones alone."""
    folder = tiny_model(tmp_path, "gemma3_text", {"sliding_window": 20})
    model = opened(folder)
    longest = [
        max(len(model.backbone.tokenizer(prompt + word)["input_ids"]) - 2 for word in WORDS) for prompt in PROMPTS
    ]
    assert sorted(length > 20 for length in longest) == [False, False, True, True], longest
    np.testing.assert_allclose(likelihoods(model), plain_likelihoods(folder), rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One decoder for what does not depend on the type."""
    return tiny_model(tmp_path_factory.mktemp("llama"), "llama")


def test_company_order_and_shared_beginnings_change_rounding_only(llama: Path) -> None:
    together = likelihoods(opened(llama))
    np.testing.assert_allclose(likelihoods(opened(llama, tokens=1)), together, atol=1e-5)
    one_by_one = [
        logs for prompt in PROMPTS for logs, _ in opened(llama).log_likelihoods([prompt], [WORDS])
    ]  # nothing is shared
    np.testing.assert_allclose(np.stack(one_by_one), together, atol=1e-5)
    backwards = opened(llama).log_likelihoods(PROMPTS[::-1], [WORDS] * len(PROMPTS))
    np.testing.assert_allclose(np.stack([logs for logs, _ in backwards])[::-1], together, atol=1e-5)


def test_the_shared_beginning_goes_through_the_model_once(llama: Path) -> None:
    model, widths = opened(llama), []
    model.backbone.causal_lm.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: widths.append(tuple(inputs[0].shape))
    )
    likelihoods(model)
    shared = len(model.backbone.tokenizer(BEGINNING, add_special_tokens=False)["input_ids"])
    assert widths[0] == (1, shared)
    assert all(rows > 1 and width < shared for rows, width in widths[1:])


def test_a_prompt_that_is_too_long_gets_no_answer(llama: Path) -> None:
    model, long = opened(llama), " ".join(["river"] * 63)
    results = model.log_likelihoods([long, PROMPTS[0]], [WORDS, WORDS])
    assert np.isnan(results[0]).all()
    assert np.isfinite(results[1]).all()
    assert model.answers([long, PROMPTS[0]], 6)[0] is None


def test_a_word_that_a_tokenizer_joins_with_the_prompt_counts_as_a_whole(llama: Path) -> None:
    """Without a blank between them: the tokens are those of both together, from the first that is another on."""
    model, tokenizer = opened(llama), AutoTokenizer.from_pretrained(llama)
    plain_model = AutoModelForCausalLM.from_pretrained(llama).eval()
    prompt, endings = JOINED
    texts = [prompt, *(prompt + ending for ending in endings)]
    before, *joined = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    assert all(ids[: len(before)] != before for ids in joined), (before, joined)
    start = sum(len(set(tokens)) == 1 for tokens in zip(before, *joined, strict=False))
    assert start == 1, "the word that all begin with"
    ((logs, tokens),) = model.log_likelihoods([prompt], [endings])
    for ids, log, count in zip(joined, logs, tokens, strict=True):
        with torch.no_grad():
            expected = plain_model(input_ids=torch.tensor([ids]), use_cache=False).logits.log_softmax(2)[0]
        likelihood = sum(float(expected[place - 1, ids[place]]) for place in range(start, len(ids)))
        assert (log, count) == (pytest.approx(likelihood, abs=1e-5), len(ids) - start)


def test_answers_end_where_only_generation_config_says_so(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, "llama")
    first = opened(folder).answers(PROMPTS, 6)[0]
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(PROMPTS[0], add_special_tokens=False, return_tensors="pt")["input_ids"]
    answer = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=6)
    extra = int(answer[0, ids.shape[1] + 1])
    assert first is not None
    assert first.tokens > 2
    GenerationConfig(eos_token_id=[2, extra]).save_pretrained(folder)
    shortened = opened(folder).answers(PROMPTS, 6)[0]
    assert shortened is not None
    assert shortened.tokens == answer[0, ids.shape[1] :].tolist().index(extra) + 1
