"""Calibration in closed form: shares divided by their means, over texts that say nothing or a language's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from xlt_bench.method import Scores
from xlt_bench.prompting.calibration import CONTENT_FREE, log_prior
from xlt_bench.resources import Text
from xlt_bench.task import Example
from xlt_bench.verbaliser.calibration import Calibration


def score(examples: Sequence[Example]) -> Scores:
    """Something that differs from text to text."""
    rows = [[len(text.text), 3.0 * text.text.count("e"), 2.0 + (text.text_pair is not None)] for text in examples]
    return np.array(rows, np.float32).reshape(len(examples), 3) / 4


def shares(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    exponentials = np.exp(scores.astype(np.float64))
    softmax: NDArray[np.float64] = exponentials / exponentials.sum(1, keepdims=True)
    return softmax


ITEMS = [Example("1", "eng_Latn", "a tree"), Example("2", "deu_Latn", "eine Tanne"), Example("3", "eng_Latn", "sea")]


def test_shares_are_divided_by_those_of_texts_that_say_nothing() -> None:
    calibrated = Calibration("contextual", score, {}).scores(ITEMS)
    prior = shares(score([Example("", "eng_Latn", text) for text in CONTENT_FREE])).mean(0)
    expected = shares(score(ITEMS)) / prior
    np.testing.assert_allclose(shares(calibrated), expected / expected.sum(1, keepdims=True), rtol=1e-5)


def test_by_the_texts_of_the_language_where_there_are_any() -> None:
    texts = {"deu_Latn": (Text("Meer"), Text("Baum und Berg"))}
    calibrated = Calibration("batch", score, texts).scores(ITEMS)
    own = shares(score([Example("", "deu_Latn", "Meer"), Example("", "deu_Latn", "Baum und Berg")])).mean(0)
    expected = shares(score(ITEMS[1:2])) / own
    np.testing.assert_allclose(shares(calibrated[1:2]), expected / expected.sum(1, keepdims=True), rtol=1e-5)
    contextual = Calibration("contextual", score, {}).scores(ITEMS)
    np.testing.assert_array_equal(calibrated[[0, 2]], contextual[[0, 2]])


def test_pairs_are_calibrated_by_pairs() -> None:
    pair = Example("1", "eng_Latn", "a", "b")
    (calibrated,) = Calibration("contextual", score, {}).scores([pair])
    prior = log_prior(score([Example("", "eng_Latn", text, text) for text in CONTENT_FREE]).astype(np.float64))
    np.testing.assert_allclose(calibrated, score([pair])[0] - prior, rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 7])
def test_equal_means_change_no_share(classes: int) -> None:
    prior = log_prior(np.zeros((5, classes)))
    np.testing.assert_allclose(prior, np.full(classes, -np.log(classes)))
