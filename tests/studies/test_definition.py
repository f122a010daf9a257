"""Study files: every shipped one is sound, and every fault of a user's is named with file and key."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.languages.expressions import parse_languages
from xlt_bench.plugins.methods import configure
from xlt_bench.studies.catalogue import find_study, study_names
from xlt_bench.studies.definition import read_study
from xlt_bench.tasks import task_info

WHOLE = """
title = "A study"
question = "Which?"

[[grid]]
methods = ["xpe", "spt"]
sources = ["joshi5"]
protocol = "full"
shots = [0, 8, "all"]
seeds = 2
steps = 10
set = { n_tokens = 4 }

[report]
form = "curve"
over = "shots"
pairs = [["xpe", "spt:joshi5"]]
"""


@pytest.mark.parametrize("name", study_names())
@pytest.mark.parametrize("task", ["cldr", "sib200"])
def test_every_shipped_study_can_be_on_every_shipped_task(name: str, task: str) -> None:
    study, info = find_study(name), task_info(task)
    groups = info.groups("nano")
    for grid in study.grids:
        for method in grid.methods:
            configure(method, grid.options.get("settings", {}))
        for sources in grid.sources:
            if sources != "none":
                assert parse_languages(sources, groups, info.languages(), option="--sources")
    named = {name.partition(":")[0] for pair in study.report.pairs for name in pair}
    assert named <= {method for grid in study.grids for method in grid.methods}


def test_the_studies_of_the_paper_are_its_grids() -> None:
    (table1,) = find_study("table1").grids
    assert table1.methods == ("spt", "dual-30", "dual-70", "xpe")
    assert table1.sources == ("enarzho", "joshi5", "seen")
    table3 = find_study("table3").grids
    assert [(grid.methods, grid.sources, grid.options.get("protocol")) for grid in table3] == [
        (("spt", "xpe", "dual-70"), ("joshi5",), "full"),
        (("full-finetuning",), ("none",), None),
    ]


def test_the_source_lists_of_source_size_are_nested() -> None:
    (grid,) = find_study("source-size").grids
    info = task_info("cldr")
    sets = [set(parse_languages(one, info.groups("nano"), info.languages(), option="")) for one in grid.sources]
    assert [len(one) for one in sets] == [1, 3, 7, 15, 30, 85]
    assert all(small < large for small, large in pairwise(sets))


def test_a_users_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE)
    study = find_study(str(path))
    assert study.name == "mine"
    (grid,) = study.grids
    assert grid.options["shots"] == (0, 8, None)
    assert grid.options["settings"] == {"n_tokens": "4"}
    assert study.report.pairs == (("xpe", "spt:joshi5"),)


def test_a_sweep_has_every_combination_of_its_values(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        WHOLE.replace("{ n_tokens = 4 }", "{ n_tokens = 4 }\nsweep = { mode = ['a', 'b'], layers = [[1, 2], []] }")
    )
    (grid,) = read_study(path).grids
    assert grid.settings == tuple(
        {"n_tokens": "4", "mode": mode, "layers": layers} for mode in ("a", "b") for layers in ("1,2", "")
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "A study"\n', "", "a study needs a title"),
        ('question = "Which?"', "question = 3", "question must be a text, not 3"),
        ("[[grid]]", "[grid]", "a study needs at least one [[grid]]"),
        ("methods =", "method =", "[[grid]] 1: no key 'method'; did you mean 'methods'?"),
        ('["xpe", "spt"]', "[]", "methods must list at least one"),
        ('["xpe", "spt"]', '["xpe", "xpe"]', "methods names 'xpe' twice"),
        ('"full"', '"ful"', "no protocol 'ful'; did you mean 'full'?"),
        ('[0, 8, "all"]', "[8, 8]", "shots 8,8 names a number twice"),
        ('[0, 8, "all"]', "[-1]", "shots takes numbers of labelled target examples"),
        ('[0, 8, "all"]', "[]", "shots takes numbers of labelled target examples"),
        ('[0, 8, "all"]', "8.5", "shots takes numbers of labelled target examples"),
        ("seeds = 2", "seeds = 0", "seeds must be a number of seeds from 1 to 1000, or a list, not 0"),
        ("steps = 10", 'steps = "ten"', "steps must be a whole number of at least 1, not 'ten'"),
        ("steps = 10", 'steps = 10\nsteps-of = "xpe"', "steps and steps-of both say the number of steps"),
        ("{ n_tokens = 4 }", "{ n_tokens = [[4]] }", "n_tokens must be a plain value"),
        ("{ n_tokens = 4 }", "{ n_tokens = 4 }\nsweep = 3", "sweep must be a table, [sweep], not 3"),
        (
            "{ n_tokens = 4 }",
            "{}\nsweep = { n_tokens = 4 }",
            "n_tokens must be a list of values, such as [5, 10], not 4",
        ),
        ("{ n_tokens = 4 }", "{}\nsweep = { n_tokens = [] }", "n_tokens must be a list of values"),
        ("{ n_tokens = 4 }", "{}\nsweep = { n_tokens = [4, 5, 4] }", "n_tokens names a value twice"),
        ("{ n_tokens = 4 }", "{ n_tokens = 4 }\nsweep = { n_tokens = [5] }", "set and sweep both give n_tokens"),
        ('form = "curve"', 'form = "curves"', "no form 'curves'; did you mean 'curve'?"),
        ('form = "curve"\n', "", "form is missing"),
        ('over = "shots"', "", "over belongs to form 'curve'"),
        ('form = "curve"', 'form = "groups"', "over belongs to form 'curve'"),
        ('[["xpe", "spt:joshi5"]]', '["xpe", "spt"]', "pairs must be a list of pairs"),
        ("[report]", "[reports]", "no key 'reports'; did you mean 'report'?"),
        ("[report]", "[report", "is no TOML"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert WHOLE.count(old) == 1
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_study(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_study_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="did you mean 'table1'"):
        find_study("tabel1")
    with pytest.raises(ConfigError, match=r"no file mine\.toml"):
        find_study("mine.toml")
