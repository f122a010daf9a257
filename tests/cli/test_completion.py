"""Completion in the shell, and what the command says of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import xlt_bench
from tests.support.commands import Command, process_environment

HEAVY = {"torch", "transformers", "numpy", "pyarrow", "scipy", "datasets", "huggingface_hub"}


def offered(line: str) -> tuple[set[str], set[str]]:
    """What bash is offered for the last word of a command line, and the heavy modules that this imported."""
    code = (
        "import sys\nfrom xlt_bench.cli.main import main\n"
        f"try:\n    main([])\nfinally:\n    print('MODULES', *({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    words = line.split(" ")
    environment = process_environment(
        _XLT_BENCH_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    modules = done.stderr.rpartition("MODULES")[2].split()
    return set(done.stdout.split()), set(modules)


@pytest.mark.parametrize(
    ("line", "expected", "absent"),
    [
        ("xlt-bench ru", {"run"}, {"tune"}),
        ("xlt-bench run --method li", {"linear-probe"}, {"xpe"}),
        ("xlt-bench run -m x", {"xpe"}, {"spt"}),
        ("xlt-bench run --task s", {"sib200"}, {"cldr"}),
        ("xlt-bench run --preset ", {"paper", "released", "cldr"}, set()),
        ("xlt-bench run --sources seen", {"seen", "seen-wo-joshi5"}, {"joshi5"}),
        ("xlt-bench run --sources seen+jo", {"seen+joshi5"}, {"joshi5"}),
        ("xlt-bench run --task sib200 --targets full", {"full-46", "full-23-seen"}, {"full-16"}),
        ("xlt-bench run --protocol f", {"full"}, {"zero-shot"}),
        ("xlt-bench study run tab", {"table1", "table2", "table3"}, {"few-shot"}),
        ("xlt-bench ls m", {"methods"}, {"tasks"}),
        ("xlt-bench run --task nothing --sources s", set(), {"seen"}),
    ],
)
def test_names_are_offered_and_nothing_heavy_is_imported(line: str, expected: set[str], absent: set[str]) -> None:
    names, modules = offered(line)
    assert names >= expected
    assert not names & absent
    assert not modules


def test_the_version(command: Command) -> None:
    said = command("--version")
    assert (said.code, said.out) == (0, f"xlt-bench {xlt_bench.__version__}\n")


def test_the_package_runs_as_a_module() -> None:
    words = [sys.executable, "-m", "xlt_bench", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, env=process_environment(), check=True)
    assert done.stdout == f"xlt-bench {xlt_bench.__version__}\n"


def test_what_a_user_wrote_is_cut_and_made_safe_in_errors(command: Command) -> None:
    said = command("run", "--method", "\x1b[31m" + "x" * 500)
    assert said.code == 2
    assert "\x1b" not in said.err
    assert len(said.err) < 300
