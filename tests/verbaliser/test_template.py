"""Cloze templates: tokens are those of the whole text, texts are cut and templates never, the mask is there once."""

from __future__ import annotations

import pytest

from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError
from xlt_bench.verbaliser.template import TEMPLATES, Cloze, longest_first

TOKENIZER = locate("nano").tokenizer
ABOUT, ENTAILMENT = Cloze(TEMPLATES["about"]), Cloze(TEMPLATES["entailment"])
TEXTS = [
    ("Paris", None),
    ("a longer text, of some words", None),
    ("", None),
    ("first", "second"),
    ("{mask} {text}", None),
]


@pytest.mark.parametrize("cloze", [ABOUT, ENTAILMENT, Cloze("A {mask} news : {text}")], ids=lambda cloze: cloze.pattern)
def test_ids_are_those_of_the_text_in_the_template(cloze: Cloze) -> None:
    encoded = cloze.encode(TOKENIZER, TEXTS, 100)
    for (first, second), ids in zip(TEXTS, encoded.ids, strict=True):
        assert ids.tolist() == TOKENIZER(cloze.text(first, second, "<mask>"))["input_ids"]


def test_texts_stand_where_the_template_has_them() -> None:
    assert ABOUT.text("Paris", None, "<mask>") == "Paris This is about <mask>."
    assert ABOUT.text("a", "b", "<mask>") == "a b This is about <mask>."
    assert ABOUT.text("{mask} {text}", None, "<mask>") == "{mask} {text} This is about <mask>."
    assert ENTAILMENT.text("a", "b", "<mask>") == "a? <mask>, b"
    assert ENTAILMENT.text("a", None, "<mask>") == "a? <mask>, "


@pytest.mark.parametrize("limit", [13, 20, 37])
@pytest.mark.parametrize("text", ["river " * 50, "x" * 400, "東京都は大きい" * 30])
def test_a_long_text_is_cut_and_the_template_stays(text: str, limit: int) -> None:
    (ids,) = ABOUT.encode(TOKENIZER, [(text, None)], limit).ids
    plain = ABOUT.encode(TOKENIZER, [("", None)], 100).ids[0].tolist()
    assert limit - 2 <= len(ids) <= limit, "characters of two tokens may become one"
    assert ids.tolist()[-len(plain) + 1 :] == plain[1:], "the template's own tokens"
    assert (ids == TOKENIZER.mask_token_id).sum() == 1
    kept = TOKENIZER.decode(ids[1 : -len(plain) + 1])
    assert TOKENIZER.decode(TOKENIZER(text)["input_ids"][1:]).startswith(kept)


def test_of_a_pair_the_longer_text_is_cut_first() -> None:
    first, second = "a b c", "x y z " * 40
    (ids,) = ENTAILMENT.encode(TOKENIZER, [(first, second)], 24).ids
    text = TOKENIZER.decode(ids)
    assert len(ids) == 24
    assert "a b c?" in text
    assert text.count("z") < 40


@pytest.mark.parametrize("first", range(8))
@pytest.mark.parametrize("second", range(8))
def test_longest_first_takes_token_after_token_from_the_longer_text(first: int, second: int) -> None:
    for total in range(first + second + 2):
        lengths = [first, second]
        while sum(lengths) > total:
            lengths[0 if lengths[0] > lengths[1] else 1] -= 1
        assert sorted(longest_first([first, second], total)) == sorted(lengths)


@pytest.mark.parametrize("written", ["<mask>", "\uff1cmask\uff1e"], ids=["plain", "full-width"])
def test_a_mask_that_is_written_in_a_text_is_no_question(written: str) -> None:
    """nano's tokenizer reads the mask in full-width letters too."""
    assert TOKENIZER.mask_token_id in TOKENIZER(f"a {written} b")["input_ids"]
    ids, plain_ids = ABOUT.encode(TOKENIZER, [(f"a {written} b {written}", None), ("a   b  ", None)], 40).ids
    assert (ids == TOKENIZER.mask_token_id).sum() == 1
    assert ids.tolist() == plain_ids.tolist()


@pytest.mark.parametrize(
    ("pattern", "part"),
    [("{text} is it.", "{mask} 0 times"), ("{mask}", "{text} 0 times"), ("{text} {mask} {mask}", "{mask} 2 times")],
)
def test_a_template_has_text_and_mask_once(pattern: str, part: str) -> None:
    with pytest.raises(ConfigError, match=f"has {part}; write it once, such as"):
        Cloze(pattern)


def test_a_template_that_leaves_no_room_is_refused() -> None:
    length = len(TOKENIZER(ABOUT.text("", None, "<mask>"))["input_ids"])
    with pytest.raises(ConfigError, match=f"has {length} tokens and leaves no room for text in {length}"):
        ABOUT.encode(TOKENIZER, [("a", None)], length)
    assert len(ABOUT.encode(TOKENIZER, [("a b c d", None)], length + 1).ids[0]) <= length + 1


def test_a_template_in_which_a_mask_is_written_out_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"reads 2 mask tokens in .*; write \{mask\} once, and '<mask>' nowhere"):
        Cloze("{text} {mask} or <mask>.").encode(TOKENIZER, [("a", None)], 40)
