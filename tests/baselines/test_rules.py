"""What counts as a mention, and what each rule makes of it."""

from __future__ import annotations

import pytest

from xlt_bench.baselines import DEFAULT_RULE, RULES, parse
from xlt_bench.baselines.rules import Categories
from xlt_bench.errors import ConfigError
from xlt_bench.tasks.sib200 import LABELS

SCIENCE = "science/technology"
REFUSAL = "Sorry, please tell me more: is it about science/technology, travel, politics, sports, health or geography?"


def test_the_default_is_the_documented_rule() -> None:
    assert DEFAULT_RULE == "first-mention"
    assert list(RULES) == ["first-mention", "last-mention", "only-mention", "exact"]
    assert parse("Travel, not politics.") == parse("Travel, not politics.", "first-mention") == "travel"


@pytest.mark.parametrize("label", LABELS)
def test_every_class_is_read_in_any_case(label: str) -> None:
    assert parse(f"It is about {label}.") == parse(f"It is about {label.upper()}.") == label


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", None),
        ("I'm sorry, but I am unable to understand the language.", None),
        ("Science", SCIENCE),
        ("technology and health", SCIENCE),
        ("Science & Technology, perhaps health", SCIENCE),
        ("health, then science", "health"),
        ("**Travel**", "travel"),
        ("_travel_", "travel"),
        ('"Sports/Health"', "sports"),
        ("politics's end", "politics"),
        ("(geography)", "geography"),
        ("travelers like healthcare, neuroscience and unhealthy, political sport", None),
        ("travelers who care for health", "health"),
        ("biotechnology", None),
        ("sports2", None),
        ("preséhealth", None),
        ("这是travel类", "travel"),
        ("Категория:politics", "politics"),
        ("POL\u0130T\u0130CS", None),
        ("\u017fports", "sports"),  # by Unicode an s of another shape; the dotted I above is no i
        ("travel\u0456", None),
        ("this text\nspans lines\nentertainment", "entertainment"),
        (REFUSAL, SCIENCE),
    ],
)
def test_first_mention(answer: str, expected: str | None) -> None:
    assert parse(answer) == expected


@pytest.mark.parametrize(
    ("rule", "answer", "expected"),
    [
        ("last-mention", "not sports but health.", "health"),
        ("last-mention", "none of them", None),
        ("last-mention", REFUSAL, "geography"),
        ("only-mention", REFUSAL, None),
        ("only-mention", "Science, that is, technology", SCIENCE),
        ("only-mention", "travel or sports", None),
        ("only-mention", "nothing", None),
        ("exact", ' "Travel." ', "travel"),
        ("exact", "**technology**\n", SCIENCE),
        ("exact", "It is travel", None),
        ("exact", "", None),
    ],
)
def test_other_rules(rule: str, answer: str, expected: str | None) -> None:
    assert parse(answer, rule) == expected


def test_an_unknown_rule_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no rule 'first'; did you mean 'first-mention'.*only-mention"):
        parse("travel", "first")


def test_classes_of_another_task() -> None:
    other = Categories(("C++", "C", "Other Thing"), {"objective c": "C"})
    assert [parse(text, categories=other) for text in ("in c++", "Objective C", "other thing?", "cc")] == [
        "C++",
        "C",
        "Other Thing",
        None,
    ]


@pytest.mark.parametrize(
    ("name", "answer", "is_mention"),
    [
        ("Спорт", "Спорт", True),
        ("Спорт", "Это СПОРТ.", True),
        ("Спорт", "транспортный", False),
        ("Спорт", "спорта", False),
        ("Économie", "économie", True),
        ("Économie", "E\u0301CONOMIE", True),
        ("Straße", "die STRASSE!", True),
        ("Αθλητισμός", "ΑΘΛΗΤΙΣΜΌΣ", True),
        ("खेल", "यह खेल है", True),
        ("खेल", "खेला", False),
        ("खेल", "अखेल", False),
        ("રમત", "\u26bd\ufe0fરમત", True),
        ("体育", "这是体育类", True),
        ("スポーツ", "これはスポーツです", True),
        ("กีฬา", "เป็นกีฬาครับ", True),
        ("ກິລາ", "ນີ້ແມ່ນກິລາ", True),
        ("កីឡា", "នេះជាកីឡា", True),
        ("အားကစား", "ဒါအားကစားပါ", True),
    ],
)
def test_names_in_any_script(name: str, answer: str, is_mention: bool) -> None:
    categories = Categories((name, "other"))
    assert parse(answer, categories=categories) == (name if is_mention else None)
    assert parse(name, "exact", categories) == parse(f"**{name}**", categories=categories) == name


def test_a_further_name_takes_none_from_a_class() -> None:
    categories = Categories(("Sport", "news"), {"sport": "news", "NEWS": "Sport", "Game": "Sport"})
    assert [parse(text, categories=categories) for text in ("sport", "News", "game")] == ["Sport", "news", "Sport"]
