"""Templates, words of classes and demonstrations: what a model is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.toy import CODES, LABELS, toy_task
from xlt_bench.errors import ConfigError
from xlt_bench.prompting.demonstrations import draw
from xlt_bench.prompting.rules import rule_named
from xlt_bench.prompting.templates import TEMPLATES, Turn, enumeration, messages, plain, question
from xlt_bench.prompting.words import ClassWords, best_word
from xlt_bench.resources import RESOURCES, Scope
from xlt_bench.task import Example

TASK = toy_task()
TRAIN = TASK.pool(CODES[:3], "train")


def test_a_question_has_the_item_and_the_choices() -> None:
    example = Example("1", "eng_Latn", "a {choices} text", "second")
    asked = question("Which of {choices}?\n{text}\nOf {choices}:", example, ["a", "b", "c"], 100)
    assert asked == "Which of a, b or c?\na {choices} text\nsecond\nOf a, b or c:"
    assert question("{text}", example, ["a"], 5) == "a {ch\nsecon"
    assert enumeration(["a"]) == "a"


def test_the_template_of_the_stored_answers_is_as_they_quote_it() -> None:
    """GPT-3.5 and GPT-4 repeat the choices with their braces; `entertainment` was not among them."""
    asked = question(TEMPLATES["sib200-gpt"], Example("1", "eng_Latn", "Gold is heavy."), ["ignored"], 100)
    quoted = '{{"science/technology, travel, politics, sports, health or geography"}}'
    assert asked == f"Is this a piece of news regarding {quoted}? Gold is heavy."


def test_demonstrations_come_before_the_question() -> None:
    turns = [Turn("Q1", "A1"), Turn("Q2")]
    assert plain(turns) == "Q1 A1\n\nQ2"
    assert messages(turns) == [
        {"role": "user", "content": "Q1"},
        {"role": "assistant", "content": "A1"},
        {"role": "user", "content": "Q2"},
    ]


@pytest.mark.parametrize("count", [0, 1, 3, 7, len(TRAIN)])
def test_demonstrations_are_drawn_by_seed_each_class_as_often(count: int) -> None:
    drawn = draw(TRAIN, count, seed=4)
    assert drawn == draw(TRAIN, count, seed=4)
    assert len({example for example, _ in drawn}) == count
    numbers = np.bincount([gold for _, gold in drawn], minlength=len(LABELS))
    assert numbers.max() - numbers.min() <= 1
    gold_of = dict(zip(TRAIN.examples, TRAIN.gold.tolist(), strict=True))
    assert all(gold_of[example] == gold for example, gold in drawn)


def test_another_seed_draws_others_and_more_contain_fewer() -> None:
    assert set(draw(TRAIN, 6, 0)) != set(draw(TRAIN, 6, 1))
    assert set(draw(TRAIN, 6, 0)) < set(draw(TRAIN, 9, 0))
    with pytest.raises(ConfigError, match="demonstrations=99: the sources have 54 train examples; take fewer"):
        draw(TRAIN, 99, 0)


def test_words_of_a_language_and_of_all_others() -> None:
    words = ClassWords(("x", "y"), {"deu_Latn": {"x": ("Ix", "Iks"), "y": ("Ypsilon",)}})
    assert words.choices("deu_Latn") == words.choices("fra_Latn") == ["Ix", "Ypsilon"]
    last_mention = rule_named("last-mention")
    assert [words.read(text, "fra_Latn", last_mention) for text in ("y, iks", "ypsilon", "z")] == ["x", "y", None]
    assert best_word([-3.0, -1.0, -2.0], words.of("deu_Latn"), ("x", "y")) == [-1.0, -2.0]
    assert ClassWords(("x", "y"), {}).choices("deu_Latn") == ["x", "y"]


def test_the_words_of_the_items_language_go_before_those_of_others() -> None:
    words = ClassWords(
        ("x", "y"), {"deu_Latn": {"x": ("Gift",), "y": ("gut",)}, "eng_Latn": {"x": ("bad",), "y": ("Gift",)}}
    )
    first_mention = rule_named("first-mention")
    assert words.read("gift", "deu_Latn", first_mention) == "x"
    assert words.read("gift", "eng_Latn", first_mention) == "y"
    assert words.read("gut, no, bad", "eng_Latn", first_mention) == "x"
    assert words.read("gut", "eng_Latn", first_mention) == "y"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no place", r"has \{text\} 0 times; write it once"),
        (b"{text} {text}", r"has \{text\} 2 times"),
        (b"\xff{text}", "byte 0 is not UTF-8"),
        (b"{text}" + b" " * 70_000, "more than 65,536 bytes"),
    ],
)
def test_a_template_file_that_cannot_be_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "template.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        RESOURCES["template"].supply(Scope(TASK, (), CODES, path))
    with pytest.raises(ConfigError, match="cannot be read"):
        RESOURCES["template"].supply(Scope(TASK, (), CODES, tmp_path))
