"""Label words: which tokens stand for them, which are nearest, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError
from xlt_bench.verbaliser.words import cut_words, label_tokens, nearest, vocabulary_of, words_of

TOKENIZER = locate("nano").tokenizer


def test_a_name_with_slashes_is_several_words() -> None:
    assert words_of(["science/technology", "human_rights"], {}) == {
        "science/technology": ["science", "technology"],
        "human_rights": ["human rights"],
    }


def test_words_of_all_languages_count_each_once() -> None:
    by_language = {"eng_Latn": {"x": ("sport", "game")}, "deu_Latn": {"x": ("Sport", "sport")}}
    assert words_of(["x"], by_language) == {"x": ["sport", "game", "Sport"]}


def test_a_word_stands_by_its_first_token_that_is_no_blank() -> None:
    first, second = label_tokens(TOKENIZER, ["a", "b"], {"a": ["territory"], "b": ["着陸"]})
    assert TOKENIZER.convert_ids_to_tokens(first.token) == "▁ter"
    assert first.pieces == 4
    pieces = TOKENIZER.tokenize(" 着陸")
    assert pieces[0] == "▁", "or the test shows nothing"
    assert TOKENIZER.convert_ids_to_tokens(second.token) == pieces[1]


def test_a_reader_is_told_of_words_that_are_cut() -> None:
    tokens = label_tokens(TOKENIZER, ["a", "b"], {"a": ["territory"], "b": ["on"]})
    assert cut_words(TOKENIZER, tokens) == "Label words of several tokens are scored by their first: territory by ▁ter."
    assert cut_words(TOKENIZER, tokens[1:]) == ""
    labels = [f"{first}{second}" for first in "bdfg" for second in "aeiou"]
    words = {label: [f"{label}zzqx"] for label in labels}
    tokens = label_tokens(TOKENIZER, labels[:8], words)
    assert cut_words(TOKENIZER, tokens).endswith(" and 2 more.")


def test_words_of_one_class_with_the_same_token_count_once() -> None:
    (token,) = label_tokens(TOKENIZER, ["a"], {"a": ["territory", "territories"]})
    assert token.word == "territory"


def test_a_token_that_stands_for_two_classes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'territory' of class 'a' and 'territories' of 'b' begin .* '▁ter'.*give"):
        label_tokens(TOKENIZER, ["a", "b"], {"a": ["territory"], "b": ["territories"]})


def test_a_word_that_the_vocabulary_does_not_know_is_refused() -> None:
    unknown = "\u13e3"
    assert TOKENIZER.unk_token_id in TOKENIZER(unknown)["input_ids"], "or the test shows nothing"
    with pytest.raises(ConfigError, match="does not know the label word"):
        label_tokens(TOKENIZER, ["a"], {"a": [unknown]})
    with pytest.raises(ConfigError, match="does not know the label word"):
        label_tokens(TOKENIZER, ["a"], {"a": [" "]})


def test_neighbours_and_weights_are_the_closed_form() -> None:
    table = Backbone(locate("nano")).encoder.get_input_embeddings().get_parameter("weight")
    vocabulary, token = vocabulary_of(TOKENIZER), TOKENIZER.convert_tokens_to_ids("▁ter")
    ids, weights = nearest(table, token, 12, vocabulary)
    rows = table.detach().numpy().astype(np.float64)
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = directions @ directions[token]
    cosines[TOKENIZER.all_special_ids] = -np.inf
    order = np.argsort(-cosines)[:12]
    assert ids.tolist() == order.tolist()
    assert ids[0] == token
    exponentials = np.exp(cosines[order])
    np.testing.assert_allclose(weights.numpy(), exponentials / exponentials.sum(), atol=1e-6)
    assert not set(ids.tolist()) & set(TOKENIZER.all_special_ids)


def test_one_neighbour_is_the_word_itself() -> None:
    table = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    ids, weights = nearest(table, 7, 1, range(20))
    assert (ids.tolist(), weights.tolist()) == ([7], [1.0])
