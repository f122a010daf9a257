"""The guide for authors: its methods pass every check, its test works, and it lists the checks that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT
from xlt_bench.conformance import CHECKS, FreshProcess, check_method
from xlt_bench.plugins.methods import configure

pytest_plugins = ["pytester"]

GUIDE = (ROOT / "docs/adding-a-method.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE, re.S))


@pytest.mark.parametrize(("file", "name"), [("my_prompt.py", "LowRankPrompt"), ("centroids.py", "Centroids")])
def test_the_methods_of_the_guide_pass_every_check(file: str, name: str, tmp_path: Path, fresh: FreshProcess) -> None:
    (tmp_path / file).write_text(FILES[file], encoding="utf-8")
    report = check_method(configure(f"{tmp_path}/{file}:{name}", {}).method, fresh=fresh)
    assert report.passed, str(report)


def test_the_test_of_the_guide_is_one_test_a_check(pytester: pytest.Pytester) -> None:
    for file in ("my_prompt.py", "test_my_prompt.py"):
        (pytester.path / file).write_text(FILES[file], encoding="utf-8")
    pytester.syspathinsert()
    pytester.runpytest("-p", "no:cacheprovider", "-k", "head_is or pickled").assert_outcomes(passed=2)
    collected = pytester.runpytest("-p", "no:cacheprovider", "--collect-only", "-q")
    collected.stdout.fnmatch_lines([f"*[[]LowRankPrompt-{check.name}]" for check in CHECKS])


def test_the_guide_lists_every_check() -> None:
    checking = GUIDE.partition("## Checking it")[2]
    assert re.findall(r"^\| `(\w+)` \|", checking, re.M) == [check.name for check in CHECKS]
    assert f"runs {len(CHECKS)} checks" in GUIDE
