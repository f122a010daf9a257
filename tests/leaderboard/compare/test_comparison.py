"""Two rows side by side, against computations of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tests.support import ROOT
from tests.support.board_records import CODES, GROUPS, Run, answers, correct, run_of, runs
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.references import find_entry
from xlt_bench.leaderboard.compare.comparison import ALL, compare_entries, compare_in
from xlt_bench.leaderboard.compare.model import ComparisonReport
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.leaderboard.compare.view import as_data, sentences
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.gathering import gather
from xlt_bench.records.answers import sheet_of
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.stats import compare, detectable_difference


def entries(found: Sequence[Run], others: Sequence[Record] = ()) -> list[Entry]:
    held = {record.cell.fingerprint: predictions for record, predictions in found}
    gathered = gather(
        [record for record, _ in found], lambda record: sheet_of(held[record.cell.fingerprint], record.labels)
    )
    return entries_of([*(record for record, _ in found), *others], gathered)


def report(a: Sequence[Run], b: Sequence[Run], **options: object) -> ComparisonReport:
    every = entries([*a, *b])
    one, other = (find_entry(found[0][0].label, every, "A") for found in (a, b))
    return compare_entries(one, other, GROUPS, ComparisonOptions(**options))  # type: ignore[arg-type]


XPE, SPT = runs(0.9, 4), runs(0.6, 4, label="SPT")


def test_difference_interval_and_p_of_each_group() -> None:
    found = report(XPE, SPT)
    assert [one.group for one in found.groups] == ["unseen", "low-performing"]
    raw = []
    for one in found.groups:
        x_a, x_b = (correct(own, GROUPS[one.group]).mean(axis=1) for own in (XPE, SPT))
        expected = compare(x_a, x_b)
        assert one.difference == pytest.approx(x_a.mean() - x_b.mean())
        assert one.bounds is not None
        assert (one.bounds.low, one.bounds.high, one.p) == pytest.approx((expected.low, expected.high, expected.p))
        assert one.detectable is not None
        least = detectable_difference(x_a, x_b, comparisons=2)
        own = one.detectable
        assert (own.estimate, own.low, own.high) == pytest.approx((least.estimate, least.low, least.high))
        raw.append(expected.p)
    smaller, larger = sorted(float(p or 0) for p in raw)
    assert sorted(one.adjusted_p or 0 for one in found.groups) == pytest.approx([2 * smaller, max(2 * smaller, larger)])
    assert {one.verdict for one in found.groups} == {"better"}


def test_wins_and_q_values_by_language() -> None:
    found = report(XPE, SPT)
    p = {}
    for code in CODES[2:]:
        x_a, x_b = (correct(own, (code,)).mean(axis=1) for own in (XPE, SPT))
        p[code] = compare(x_a, x_b).p
    q = dict(zip(p, scipy_stats.false_discovery_control(list(p.values())), strict=True))
    assert {one.code: one.q for one in found.languages} == pytest.approx(q)
    assert [one.difference for one in found.languages] == sorted(
        (one.difference for one in found.languages), reverse=True
    )
    assert found.wins() == (4, 0)
    assert found.wins(0.05) == (sum(value <= 0.05 for value in q.values()), 0)
    assert as_data(found)["wins"]["a"] == 4


def test_languages_are_intersected_and_the_remainders_listed() -> None:
    part = answers(0.6, codes=CODES[2:5])
    found = report(XPE, [(run_of(part, label="part", targets=CODES[2:5]), part)])
    unseen = next(one for one in found.groups if one.group == "unseen")
    assert (unseen.languages, unseen.only_a, unseen.only_b) == (CODES[2:5], CODES[5:], ())
    assert found.only_a == CODES[5:]
    assert unseen.value_a == pytest.approx(correct(XPE, CODES[2:5]).mean())
    assert any(line == f"Only A has: {CODES[5]}." for line in sentences(found))


def test_languages_that_either_was_fitted_on_are_left_out() -> None:
    found = report(XPE, runs(0.6, label="SPT", sources=CODES[1:3]))
    assert found.left_out == CODES[2:3]
    assert [one.code for one in found.languages if one.code == CODES[2]] == []
    assert "The sources differ: seen against seen." in found.caveats


def test_a_group_of_all_languages_comes_first_unless_it_is_there() -> None:
    every = entries([*XPE, *SPT])
    one, other = find_entry("xpe", every, "A"), find_entry("spt", every, "B")
    part = compare_entries(one, other, {"low-performing": GROUPS["low-performing"]})
    assert [group.group for group in part.groups] == [ALL, "low-performing"]
    assert [group.group for group in compare_entries(one, other, {"x": GROUPS["unseen"]}).groups] == ["x"]


def test_groups_that_come_to_the_same_languages_are_compared_once() -> None:
    one, other = entries([*XPE, *SPT])
    groups = {"all": (*GROUPS["unseen"], "zzz_Latn"), "low": CODES[2:4], "unseen": GROUPS["unseen"]}
    assert [group.group for group in compare_entries(one, other, groups).groups] == ["low", "unseen"]


def test_what_only_one_has_because_the_other_was_fitted_on_it_is_left_out_in_so_many_words() -> None:
    part = answers(0.6, codes=CODES[3:])
    found = report([(run_of(part, sources=CODES[:3], targets=CODES[3:]), part)], runs(0.6, label="SPT"))
    assert found.left_out == CODES[2:3]
    assert found.only_b == ()


def test_across_seeds_the_exact_test_decides_or_says_that_it_cannot() -> None:
    few = report(runs(0.9, 3), runs(0.4, 3, label="SPT"), method="seeds")
    assert {(one.p, one.verdict) for one in few.groups} == {(None, None)}
    assert all("too large for a verdict among 2 groups" in (one.note or "") for one in few.groups)
    assert {one.q for one in few.languages} == {None}
    assert any("single languages are not tested" in line for line in sentences(few))
    more = report(runs(0.9, 5), runs(0.4, 5, label="SPT"), method="seeds")
    means = [correct(own, GROUPS["unseen"]).mean(axis=(1, 2)) for own in (runs(0.9, 5), runs(0.4, 5, label="SPT"))]
    pooled = np.concatenate(means)
    gaps = [pooled[list(pick)].mean() - np.delete(pooled, list(pick)).mean() for pick in combinations(range(10), 5)]
    exact = np.mean(np.abs(gaps) >= abs(means[0].mean() - means[1].mean()) - 1e-12)
    assert more.groups[0].p == pytest.approx(exact)
    assert more.groups[0].detectable is None


def test_one_run_has_no_test_across_seeds() -> None:
    found = report(runs(0.9, 1), runs(0.4, 3, label="SPT"), method="seeds")
    assert {(one.p, one.note) for one in found.groups} == {(None, "one run: no test")}
    assert all(one.q is None for one in found.languages)


def test_paired_seeds_use_the_seeds_that_both_have() -> None:
    found = report(XPE, runs(0.6, 2, label="SPT"), paired_seeds=True)
    assert found.a.seeds == found.b.seeds == (0, 1)
    x_a, x_b = (correct(own, GROUPS["unseen"]).mean(axis=1) for own in (XPE[:2], runs(0.6, 2, label="SPT")))
    assert found.groups[0].p == pytest.approx(compare(x_a, x_b, paired_seeds=True).p)


def test_weaker_evidence_has_no_test() -> None:
    weak = run_of(answers(0.4), label="weak", evidence="per_language", setting="linear probe", sources=())
    every = entries(XPE, [weak])
    found = compare_entries(find_entry("XPE", every, "A"), find_entry("weak", every, "B"), GROUPS)
    assert {(one.p, one.bounds, one.verdict, one.detectable) for one in found.groups} == {(None, None, None, None)}
    assert all(one.q is None for one in found.languages)
    assert found.languages
    assert "The settings differ: cross-lingual zero-shot against linear probe." in found.caveats


def test_published_means_are_compared_by_group() -> None:
    told = {"setting": "zero-shot prompt", "evidence": "aggregate", "sources": (), "accuracy": {}}
    one = run_of(answers(0.4), label="one", group_accuracy={"unseen": 0.5, "low-performing": 0.3}, **told)
    other = run_of(answers(0.4), label="other", group_accuracy={"unseen": 0.4}, **told)
    every = entries([], [one, other])
    found = compare_entries(find_entry("one", every, "A"), find_entry("other", every, "B"), GROUPS)
    assert [(group.group, group.difference) for group in found.groups] == [("unseen", pytest.approx(0.1))]
    assert found.languages == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("XPE", "xpe"), "is compared with itself"),
        (("XPE", "SPX"), "B: no row 'SPX'; did you mean"),
        (("XPE", "XPE:joshi5"), "no row 'XPE:joshi5'"),
        (("XPE", "twin"), "B 'twin' fits 2 rows; write one of"),
        (("XPE", "elsewhere"), "only rows of the same data can be compared"),
    ],
)
def test_what_cannot_be_compared(names: tuple[str, str], message: str) -> None:
    found = [*XPE, *SPT, *runs(label="twin"), *runs(label="twin", sources=CODES[:1], sources_label="one")]
    every = [*entries(found), *entries(runs(label="elsewhere", task_hash="other"))]
    with pytest.raises(ConfigError, match=message):
        compare_entries(find_entry(names[0], every, "A"), find_entry(names[1], every, "B"), GROUPS)


def test_a_row_is_found_by_label_sources_or_fingerprint() -> None:
    every = entries([*XPE, *runs(label="twin"), *runs(label="twin", sources=CODES[:1], sources_label="one")])
    assert find_entry("TWIN:one", every, "A").sources == "one"
    xpe = find_entry("XPE", every, "A")
    assert find_entry(xpe.key[:6], every, "A") is xpe


def test_a_group_that_only_other_rows_of_the_board_speak_of_may_be_named() -> None:
    store = Store(ROOT / "leaderboard/sentence-encoder-unseen")  # its runs speak of unseen and full-46
    (board,) = boards_of(store, Filter(task="sib200", targets="low-performing"), Options())
    assert "low-performing" in board.sections[0].groups
    comparison = compare_in(store, Filter(task="sib200"), "linear-probe", "spt", "low-performing")
    assert {group.group: len(group.languages) for group in comparison.groups}["low-performing"] == 46


def test_a_short_name_with_sources_is_one_s_own_row_before_a_published_one() -> None:
    store = Store(ROOT / "leaderboard/sentence-encoder-sources")  # XPE from seen languages is in the paper, too
    comparison = compare_in(store, Filter(task="sib200"), "xpe:seen", "XPE:enarzho", "low-performing")
    assert (comparison.a.label, comparison.a.sources) == ("xpe, preset e5, bf16", "seen")
    assert (comparison.b.label, comparison.b.evidence) == ("XPE", "aggregate")
    assert comparison.languages == (), "of the published row the group's mean is known"
    (group,) = comparison.groups
    assert (group.group, group.value_b) == ("low-performing", pytest.approx(0.353))
    spaced = compare_in(store, Filter(task="sib200"), "xpe: seen", "spt:seen", "low-performing")
    assert spaced.a.label == comparison.a.label
    with pytest.raises(ConfigError, match=r"no row 'xpe:'; did you mean \w+ \(xpe, preset e5, bf16, sources \w+\), "):
        compare_in(store, Filter(task="sib200"), "xpe:", "spt:seen", "low-performing")
    with pytest.raises(ConfigError, match=r"rows are \w+ \((xpe|spt), preset e5"):
        compare_in(store, Filter(task="sib200"), ":seen", "spt:seen", "low-performing")
    with pytest.raises(ConfigError, match=r"did you mean \w+ \(GPT-4, sources none\)"):
        compare_in(store, Filter(task="sib200"), "GPT-44", "spt:seen", "low-performing")
