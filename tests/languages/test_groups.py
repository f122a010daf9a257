"""The language of groups: what an expression means, which rows there are, and what a user is told."""

from __future__ import annotations

from itertools import combinations

import pytest

from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.languages.expressions import expression_of, parse_languages, target_groups
from xlt_bench.languages.groups import named_groups
from xlt_bench.task import Language

JOSHI = {"eng_Latn": 5, "arb_Arab": 5, "zho_Hans": 5, "deu_Latn": 5, "swh_Latn": 2, "tha_Thai": 3, "yor_Latn": None}
LANGUAGES = {code: Language(code, code, code[4:], "family", joshi) for code, joshi in JOSHI.items()}
SEEN = frozenset(LANGUAGES) - {"yor_Latn"}
GROUPS = named_groups(LANGUAGES, seen=SEEN, low_performing=frozenset({"yor_Latn"}))
BLIND = named_groups(LANGUAGES, seen=None, low_performing=None)
NOT_5 = ("swh_Latn", "tha_Thai", "yor_Latn")


def parsed(expression: str) -> tuple[str, ...]:
    return parse_languages(expression, GROUPS, LANGUAGES, option="--sources")


def test_the_named_groups() -> None:
    assert list(GROUPS) == [
        "enarzho",
        "joshi5",
        "seen",
        "all",
        "all-wo-joshi5",
        "seen-wo-joshi5",
        "unseen",
        "low-performing",
    ]
    assert GROUPS["joshi5"] == {"eng_Latn", "arb_Arab", "zho_Hans", "deu_Latn"}
    assert GROUPS["all-wo-joshi5"] == set(NOT_5)
    assert list(BLIND) == ["enarzho", "joshi5", "all", "all-wo-joshi5"]
    assert "low-performing" not in named_groups(LANGUAGES, seen=SEEN, low_performing=frozenset())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("enarzho", ("eng_Latn", "arb_Arab", "zho_Hans")),
        ("seen-joshi5", ("swh_Latn", "tha_Thai")),
        ("seen-wo-joshi5", ("swh_Latn", "tha_Thai")),
        ("seen-wo-joshi5-tha_Thai", ("swh_Latn",)),
        ("enarzho+deu_Latn", ("eng_Latn", "arb_Arab", "zho_Hans", "deu_Latn")),
        ("deu_Latn,eng_Latn", ("eng_Latn", "deu_Latn")),
        (" all - joshi5 , eng_Latn ", ("eng_Latn", *NOT_5)),
        ("eng_Latn-eng_Latn+deu_Latn", ("deu_Latn",)),
        ("all-wo-joshi5-low-performing", ("swh_Latn", "tha_Thai")),
        ("eng_Latn,eng_Latn", ("eng_Latn",)),
    ],
)
def test_expressions(expression: str, expected: tuple[str, ...]) -> None:
    assert parsed(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("low-preforming", "no language or group 'low-preforming'; did you mean 'low-performing'?"),
        ("sen-joshi5", "no language or group 'sen'; did you mean 'seen'?"),
        ("seen-joshi", "no language or group 'joshi'; did you mean 'joshi5'?"),
        ("de", "no language or group 'de'; did you mean 'deu_Latn'?"),
        ("de-AT", "no language or group 'de-AT'; did you mean 'deu_Latn'?"),
        ("seen-deu", "no language or group 'deu'; did you mean 'deu_Latn'?"),
        ("sw", "no language or group 'sw'; did you mean 'swh_Latn'?"),
        ("ara", "no language or group 'ara'; did you mean 'arb_Arab'?"),
        ("arb_Latn", "no language or group 'arb_Latn'; did you mean 'arb_Arab'?"),
        ("deu_latn", "no language or group 'deu_latn'; did you mean 'deu_Latn'?"),
        ("nqo_Nkoo", "'nqo_Nkoo' is none of the task's 7 languages"),
        ("seen,", "a group or language code is missing"),
        ("-seen", "a group or language code is missing"),
        ("seen--joshi5", "a group or language code is missing"),
        ("", "a group or language code is missing"),
        ("joshi5-all", "is an empty set of languages"),
    ],
)
def test_faults_name_the_expression_the_value_and_the_way_out(expression: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(expression)
    assert str(caught.value).startswith(f"--sources '{expression}'")
    assert message in str(caught.value)
    assert str(caught.value).endswith("see: xlt-bench ls groups")


@pytest.mark.parametrize("name", ["seen", "unseen", "seen-wo-joshi5", "low-performing"])
def test_groups_of_a_backbone_with_unknown_pretraining(name: str) -> None:
    with pytest.raises(BackboneError) as caught:
        parse_languages(f"{name}-joshi5", BLIND, LANGUAGES, option="--sources", backbone="acme/bert")
    assert (
        f"which languages acme/bert saw is not known, so group '{name}' is not defined for it; say it with --seen "
        "FILE, or --seen like:NAME for a backbone that saw the same; name languages by code, "
        "or use enarzho, joshi5, all"
    ) in str(caught.value)


def test_a_group_that_was_not_measured() -> None:
    groups = named_groups(LANGUAGES, seen=SEEN, low_performing=None)
    with pytest.raises(BackboneError, match="group 'low-performing' was not measured for nano on this task"):
        parse_languages("low-performing", groups, LANGUAGES, option="--targets", backbone="nano")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("joshi5", ["all-wo-joshi5", "seen-wo-joshi5", "unseen", "low-performing"]),
        ("seen", ["unseen", "low-performing"]),
        ("eng_Latn,swh_Latn", ["unseen", "low-performing"]),
        ("eng_Latn,swh_Latn,yor_Latn", ["all minus 3"]),
        ("all-yor_Latn", ["unseen", "low-performing"]),
    ],
)
def test_default_targets_are_the_groups_disjoint_from_the_sources(sources: str, expected: list[str]) -> None:
    rows = target_groups(None, parsed(sources), GROUPS, LANGUAGES)
    assert list(rows) == expected
    assert not {code for row in rows.values() for code in row} & set(parsed(sources))


def test_default_targets_without_sources_are_all_groups() -> None:
    assert list(target_groups(None, (), GROUPS, LANGUAGES)) == [
        "all-wo-joshi5",
        "seen-wo-joshi5",
        "unseen",
        "low-performing",
    ]


def test_default_targets_of_a_backbone_with_unknown_pretraining() -> None:
    assert target_groups(None, ("eng_Latn",), BLIND, LANGUAGES) == {"all-wo-joshi5": NOT_5}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("unseen", {"unseen": ("yor_Latn",)}),
        ("unseen,low-performing", {"unseen": ("yor_Latn",), "low-performing": ("yor_Latn",)}),
        ("unseen + low-performing", {"unseen": ("yor_Latn",), "low-performing": ("yor_Latn",)}),
        ("seen", {"seen minus 3": ("deu_Latn", "swh_Latn", "tha_Thai")}),
        ("all, seen", {"all minus 3": ("deu_Latn", *NOT_5), "seen minus 3": ("deu_Latn", "swh_Latn", "tha_Thai")}),
        ("sources", {"sources (in-language)": ("eng_Latn", "arb_Arab", "zho_Hans")}),
        ("sources,unseen", {"sources (in-language)": ("eng_Latn", "arb_Arab", "zho_Hans"), "unseen": ("yor_Latn",)}),
        ("seen-joshi5", {"seen-joshi5": ("swh_Latn", "tha_Thai")}),
        ("yor_Latn,deu_Latn", {"yor_Latn,deu_Latn": ("deu_Latn", "yor_Latn")}),
        ("yor_Latn,eng_Latn", {"yor_Latn,eng_Latn minus 1": ("yor_Latn",)}),
        ("unseen+deu_Latn", {"unseen+deu_Latn": ("deu_Latn", "yor_Latn")}),
        ("all-sources", {"all-sources": ("deu_Latn", *NOT_5)}),
    ],
)
def test_target_rows(spec: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert target_groups(spec, parsed("enarzho"), GROUPS, LANGUAGES) == expected


def test_a_target_within_the_sources_names_the_way_out() -> None:
    for spec, sources in (("enarzho", "joshi5"), ("deu_Latn", "joshi5"), (None, "all")):
        with pytest.raises(ConfigError, match=r"lies entirely within the sources.*--targets sources"):
            target_groups(spec, parsed(sources), GROUPS, LANGUAGES)


def test_unknown_targets() -> None:
    with pytest.raises(ConfigError, match=r"--targets 'unsen': no language or group 'unsen'; did you mean 'unseen'\?"):
        target_groups("unsen", ("eng_Latn",), GROUPS, LANGUAGES)
    with pytest.raises(BackboneError, match="which languages acme/bert saw is not known"):
        target_groups("unseen", ("eng_Latn",), BLIND, LANGUAGES, backbone="acme/bert")
    with pytest.raises(ConfigError, match="no language or group 'sources'"):
        target_groups("sources", (), GROUPS, LANGUAGES)


@pytest.mark.parametrize(
    ("expression", "shortest"),
    [
        ("eng_Latn+arb_Arab+zho_Hans", "enarzho"),
        ("deu_Latn,enarzho", "joshi5"),
        ("seen-joshi5", "seen-wo-joshi5"),
        ("tha_Thai,eng_Latn", "eng_Latn+tha_Thai"),
        ("eng_Latn+arb_Arab", "eng_Latn+arb_Arab"),
        ("deu_Latn", "deu_Latn"),
        ("all-deu_Latn", "all-deu_Latn"),
        ("tha_Thai+joshi5", "joshi5+tha_Thai"),
    ],
)
def test_a_set_has_one_shortest_expression(expression: str, shortest: str) -> None:
    assert expression_of(parsed(expression), GROUPS, LANGUAGES) == shortest


def test_the_expression_of_every_set_stands_for_that_set() -> None:
    for size in range(1, len(LANGUAGES) + 1):
        for codes in combinations(LANGUAGES, size):
            assert parsed(expression_of(codes, GROUPS, LANGUAGES)) == codes
            assert expression_of(codes[::-1], GROUPS, LANGUAGES) == expression_of(codes, GROUPS, LANGUAGES)
