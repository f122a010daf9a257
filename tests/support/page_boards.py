"""Made-up boards: several sections, every evidence level, missing languages, failed seeds, and hostile texts."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from xlt_bench.languages.table import known_languages
from xlt_bench.leaderboard.board.detail import DevCurve, FewShotPoint, GroupPairs, LanguagePairs, SectionDetail
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, Bounds, RowScore
from xlt_bench.leaderboard.data.facts import LanguageFacts
from xlt_bench.records.record import Evidence

HOSTILE = (
    "</script><script>document.title='broken'</script>",
    "<img src=x onerror=\"document.title='broken'\">",
    "\"' onmouseover='document.title=1' x=\"",
    "<!--<script>",
    "]]> &lt;b&gt; &amp; <b>bold</b>",
    "$task ${css} $$ %s {0} \\u003c/script\\u003e",
    "\u202eright to left\u2028\x00\x1b[31m\ud800",
    "javascript:alert(1) https://example.org/x.png",
    "</title></style></bdi></table><a href='https://example.org'>x</a>",
    "$\\frac{1}{$ _hidden",
)
METHODS = ("XPE", "DUAL-70", "DUAL-30", "SPT", "Full fine-tuning", "Head only", "n-gram MLP", "Majority class")
FAMILIES = ("Indo-European", "Atlantic-Congo", "Austronesian", "Turkic", "Afro-Asiatic", "Sino-Tibetan")
SCRIPTS = ("Latn", "Cyrl", "Arab", "Deva", "Ethi")


def languages(count: int) -> dict[str, LanguageFacts]:
    """Invented facts of languages with real codes, of which places are known; the last is of unknown class."""
    table = {}
    for i, code in enumerate(sorted(known_languages())[:count]):
        script = SCRIPTS[i * i % 7 % len(SCRIPTS)]
        family = FAMILIES[i % 11 % len(FAMILIES)]
        joshi = None if i == count - 1 else i % 6
        table[code] = LanguageFacts(f"Language {i}", family, script, joshi, seen=i % 9 < 4)
    return table


def groups_of(table: Mapping[str, LanguageFacts]) -> dict[str, tuple[str, ...]]:
    """Four target groups."""
    return {
        "all": tuple(table),
        "seen": tuple(code for code, facts in table.items() if facts.seen),
        "unseen": tuple(code for code, facts in table.items() if not facts.seen),
        "low-performing": tuple(code for code, facts in table.items() if facts.joshi in (0, None)),
    }


def row(
    key: str,
    label: str,
    level: float,
    groups: Mapping[str, Sequence[str]],
    *,
    evidence: Evidence = "per_item",
    seeds: int = 5,
    missing: Sequence[str] = (),
    failed: tuple[int, ...] = (),
    caveats: tuple[str, ...] = (),
    sources: str = "joshi5",
    rank: int = 1,
) -> BoardRow:
    """A configuration of about this accuracy."""
    chance = random.Random(repr(key))
    table = {code for codes in groups.values() for code in codes} - set(missing)
    by_language = {code: min(1.0, max(0.0, level + _ease(code) + chance.gauss(0, 0.03))) for code in sorted(table)}
    scores = {}
    for name, codes in groups.items():
        own = [by_language[code] for code in codes if code in by_language]
        if own:
            lacks = tuple(code for code in codes if code not in by_language)
            scores[name] = _score(sum(own) / len(own), len(own), lacks, evidence, seeds, rank)
    return BoardRow(
        key=key,
        label=label,
        sources=sources,
        evidence=evidence,
        selected_on="source dev" if seeds > 1 else "nothing",
        seeds=tuple(range(42, 42 + seeds)),
        failed_seeds=failed,
        trainable_parameters=None if evidence != "per_item" else 12_345 * rank,
        origin="xlt-bench run" if seeds > 1 else "Adelani et al. 2024, Table 7",
        caveats=caveats,
        scores=scores,
        by_language={} if evidence == "aggregate" else by_language,
    )


def _ease(code: str) -> float:
    """How much easier than others a language is, for every method alike."""
    return random.Random(repr(code)).gauss(0, 0.1)


def _score(value: float, count: int, missing: tuple[str, ...], evidence: Evidence, seeds: int, rank: int) -> RowScore:
    tested = evidence == "per_item"
    width = 0.02 + 0.004 * rank
    return RowScore(
        value=value,
        two_way=Bounds(value - width, value + width) if tested else None,
        bootstrap=Bounds(value - 0.9 * width, value + 0.8 * width) if tested else None,
        inference="none" if not tested else "runs" if seeds > 1 else "one run",
        seeds=seeds,
        languages=count,
        items=204,
        clusters=154,
        by_seed=tuple(value + 0.01 * (seed - (seeds - 1) / 2) for seed in range(seeds)) if tested else (),
        outliers=(44,) if rank == 4 and tested else (),
        missing=missing,
        ranked_value=value + (0.004 if rank == 2 else 0.0) if tested else None,
        rank=rank if tested else None,
        letters="abcdefgh"[(rank - 1) // 2 % 8 : (rank - 1) // 2 % 8 + 2] if tested else "",
        at_chance=value < 0.28,
        note=None if tested else "one run; as printed; not tested: only means by language are known",
    )


def with_detail(section: BoardSection) -> BoardSection:
    """The section with what only the page shows: pairs that agree with the letters, curves, no few-shot points."""
    tested = tuple(position for position, row in enumerate(section.rows) if row.evidence == "per_item")
    pairs = {}
    for group in section.groups:
        ranked = tuple(position for position in tested if group in section.rows[position].scores)
        scores = list(combinations([section.rows[position].scores[group] for position in ranked], 2))
        p = tuple(0.5 if set(a.letters) & set(b.letters) else 0.01 for a, b in scores)
        pairs[group] = GroupPairs(ranked, tuple(a.value - b.value for a, b in scores), p)
    by_language = [section.rows[position].by_language for position in tested]
    codes = sorted({code for of_row in by_language for code in of_row})
    q = {code: tuple(_q(a.get(code), b.get(code)) for a, b in combinations(by_language, 2)) for code in codes}
    curves = {position: (_curve(42, position), _curve(43, position)) for position in tested[:3]}
    languages = LanguagePairs(tested, q) if len(tested) > 1 else None
    return replace(section, detail=SectionDetail(pairs, languages, curves, {}))


def _q(first: float | None, second: float | None) -> float | None:
    """A large difference is found, a small one is not."""
    if first is None or second is None:
        return None
    difference = abs(first - second)
    return 0.01 if difference > 0.1 else round(1 - difference, 3)


def _curve(seed: int, position: int) -> DevCurve:
    accuracy = tuple(0.5 + 0.03 * step - 0.02 * position + 0.001 * (seed - 42) for step in range(5))
    return DevCurve(seed, (100, 200, 300, 400, 500), accuracy, 400)


def few_shot_board() -> BoardContent:
    """Three tables of the full protocol, of 0, 8 and all labelled examples of the target, two rows each."""
    table = languages(20)
    groups = {"full-20": tuple(table)}
    sections = []
    for number, (shots, level) in enumerate(((0, 0.4), (8, 0.5), (None, 0.7))):
        rows = [
            row(f"few-{number}-{k}", f"{method}, {shots}", level - 0.1 * k, groups, rank=k + 1)
            for k, method in enumerate(METHODS[:2])
        ]
        points = {k: FewShotPoint(f"series-{k}", METHODS[k], shots) for k in range(2)}
        section = with_detail(_section(f"Full protocol, {shots} examples", "full", rows, groups, ()))
        assert section.detail is not None
        sections.append(replace(section, detail=replace(section.detail, few_shot=points)))
    return replace(sample_board(count=20), sections=tuple(sections), languages=table, chance=dict.fromkeys(table, 0.25))


def sample_board(rows: int = 8, count: int = 205) -> BoardContent:
    """Own runs, prompted models with and without answers to items, and published means."""
    table = languages(count)
    groups = groups_of(table)
    gone = tuple(table)[3:5]
    runs = [
        row(
            f"run-{i}",
            METHODS[i] if i < len(METHODS) else f"{METHODS[i % len(METHODS)]} length={i}",
            0.85 - 0.6 * i / max(rows - 1, 1),
            groups,
            seeds=1 if i % 8 == 6 else 5,
            missing=gone if i % 4 == 2 else (),
            failed=(45, 46) if i % 8 == 3 else (),
            caveats=("The dev set holds source languages only.",) if i % 2 else (),
            sources="joshi5" if i % 3 else "all seen",
            rank=i + 1,
        )
        for i in range(rows)
    ]
    prompted = [
        row(
            "gpt-4", "GPT-4", 0.6, groups, seeds=1, caveats=("The prompt left a class out: at most 90.7%.",), sources=""
        ),
        row("gpt-3.5", "GPT-3.5", 0.45, groups, seeds=1, missing=gone[:1], rank=2, sources=""),
        row("printed", "GPT-4, as printed", 0.58, groups, seeds=1, evidence="per_language", missing=gone, sources=""),
    ]
    published = [row("paper", "DUAL XPE-70, published", 0.7, groups, seeds=1, evidence="aggregate")]
    return BoardContent(
        task="sample",
        task_hash="0123456789abcdef",
        level=0.95,
        sections=(
            _section("Cross-lingual zero-shot, backbone nano", "zero-shot", runs, groups, gone),
            _section("Prompted models", "zero-shot prompt", prompted, groups, gone[:1]),
            _section("Published means", "as published", published, groups, ()),
        ),
        languages=table,
        chance=dict.fromkeys(table, 0.25),
        caveats=("The test texts are public and may be in the training data of prompted models.",),
        skipped=("store/ab12: record.json is no JSON",),
    )


def _section(
    title: str, setting: str, rows: list[BoardRow], groups: dict[str, tuple[str, ...]], gone: tuple[str, ...]
) -> BoardSection:
    ranked = {name: tuple(code for code in codes if code not in gone) for name, codes in groups.items()}
    section = BoardSection(
        title, setting, "nano", "zero-shot", groups, ranked, tuple(rows), primary="unseen" if "unseen" in groups else ""
    )
    return with_detail(section)


def hostile_board() -> BoardContent:
    """Everything that may come from others' files holds markup."""
    bad = HOSTILE[0]
    table = {text: LanguageFacts(text, text, text, None, seen=None) for text in HOSTILE}
    groups = {text: tuple(table) for text in HOSTILE[:2]}
    rows = [row(text, text, 0.5, groups, caveats=(text,), sources=text, missing=HOSTILE[:2]) for text in HOSTILE]
    section = with_detail(BoardSection(bad, bad, bad, bad, groups, groups, tuple(rows)))
    chance = dict.fromkeys(table, 0.5)
    return BoardContent(bad, bad, 0.95, (section,), table, chance, caveats=HOSTILE, skipped=HOSTILE)
