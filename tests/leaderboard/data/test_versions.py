"""Versions of a plug-in's file: the latest is current, what it supersedes is told apart."""

from __future__ import annotations

from dataclasses import replace

from tests.support.records import predictions, record
from xlt_bench.leaderboard.data.versions import by_version
from xlt_bench.records.record import Record


def version(content: str, created: str, rank: int = 8, complete: bool = True, **changes: object) -> Record:
    """A run of `low_rank.py:LowRank` with this content of its file."""
    method = f"low_rank.py:LowRank#{content}"
    label = "low_rank.py:LowRank" + ("" if rank == 8 else f" (rank={rank})")
    values = {"rank": rank, **({"dropout": 0.0} if content > "b" else {})}  # a field that later versions have
    answers = predictions() if complete else None
    return record(answers, label=label, method=method, hyperparameters=values, created=created, **changes)


OLD, MIDDLE, NEW = version("a", "2026-01-01"), version("b", "2026-01-02"), version("c", "2026-01-03")


def test_the_version_that_ran_last_stands_for_all() -> None:
    versions = by_version([NEW, OLD, MIDDLE])
    assert versions.superseded == (OLD, MIDDLE)
    (current,) = versions.current
    assert current.cell == NEW.cell
    assert current.caveats == ("Version 3 of its file; 2 hidden (leaderboard --superseded shows all).",)


def test_an_old_version_that_is_run_again_is_current_again() -> None:
    again = version("a", "2026-01-09", seed=1)
    current = by_version([OLD, MIDDLE, again]).current
    assert [record.cell for record in current] == [OLD.cell, again.cell]


def test_other_settings_sources_and_shipped_methods_are_no_versions() -> None:
    others = [
        version("a", "2026-01-01", rank=16),
        version("a", "2026-01-01", sources=("deu_Latn",)),
        record(predictions(), method="xpe", created="2026-01-01"),
        record(predictions(), method="xpe", hyperparameters={"n_tokens": 5}, created="2026-01-02"),
    ]
    assert by_version([NEW, *others]).superseded == ()


def test_a_version_that_only_failed_hides_nothing() -> None:
    assert by_version([OLD, version("b", "2026-01-02", complete=False)]).superseded == ()


def test_two_rows_of_one_name_and_one_file_are_no_versions_of_each_other() -> None:
    """A label leaves out the rates that a search chose."""
    searches = [version("a", f"2026-01-0{day}", tuned=trials) for day, trials in ((1, 4), (2, 4))]
    searches[1] = replace(searches[1], cell=replace(searches[1].cell, hyperparameters={"rank": 8, "rate": 0.5}))
    assert len({search.cell.configuration for search in searches}) == 2
    assert by_version(searches).superseded == ()
    later = version("b", "2026-01-03", tuned=4)
    versions = by_version([*searches, later])
    assert versions.superseded == tuple(searches)
    assert versions.current[0].caveats == ("Version 2 of its file; 2 hidden (leaderboard --superseded shows all).",)
