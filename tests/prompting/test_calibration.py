"""Texts that say nothing stand in the same prompt as the items that they calibrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from xlt_bench.method import Context
from xlt_bench.methods.prompted_llm import PromptedLLM, PromptedModel
from xlt_bench.prompting.calibration import CONTENT_FREE
from xlt_bench.prompting.method import Conversation
from xlt_bench.prompting.words import ClassWords
from xlt_bench.recipe import preset_recipe
from xlt_bench.task import Example


@dataclass
class Listener:
    """In place of a language model: keeps the prompts."""

    prompts: list[str] = field(default_factory=list)

    def log_likelihoods(self, prompts: Sequence[str], continuations: Sequence[Sequence[str]]) -> list[Any]:
        """See `CausalLM`."""
        self.prompts += prompts
        return [np.ones((2, len(words))) for words in continuations]


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (Example("1", "eng_Latn", "a"), [f"Q {text}" for text in CONTENT_FREE]),
        (Example("1", "eng_Latn", "a", "b"), [f"Q {text}\n{text}" for text in CONTENT_FREE]),
    ],
    ids=["text", "pair"],
)
def test_texts_that_say_nothing_are_pairs_where_items_are(example: Example, expected: Sequence[str]) -> None:
    conversation = Conversation("Q {text}", ClassWords(("x", "y"), {}), (), 100)
    context = Context(("x", "y"), 0, preset_recipe("cldr"))
    model, listener = PromptedModel(PromptedLLM(calibrated=True, chat=False), conversation, context), Listener()
    vars(model)["model"] = listener
    model.predict([example, example])
    assert listener.prompts[2:] == expected
