"""`power`, `doctor`, `prefetch` and `ls methods NAME`: what to know before a run."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.support import ROOT
from tests.support.commands import Command
from xlt_bench.cli import doctor
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.compare.planning import ITEMS, SEEDS, plan_power
from xlt_bench.methods.peft import SUMMARIES
from xlt_bench.plugins.registry import METHODS, names
from xlt_bench.records.store import Store
from xlt_bench.stats import detectable_difference, reduce

REFERENCE = ROOT / "leaderboard" / "reference"
CHOSEN = """
from dataclasses import dataclass
from typing import Literal
from xlt_bench.methods.majority import Majority

@dataclass(frozen=True)
class Chosen(Majority):
    mode: Literal["mean", "max"] = "mean"
"""


def test_a_plan_is_the_statistics_of_the_stored_answers() -> None:
    store = Store(REFERENCE)
    plan = plan_power(store, Filter(task="cldr"), "xpe:seen", "spt:seen", 0.02)
    assert (plan.group, plan.languages, plan.seeds) == ("unseen", 39, (5, 5))
    records = [record for record in store.records()[0] if record.sources_label == "seen"]
    rows = []
    for label in ("xpe", "spt"):
        runs = sorted((r for r in records if r.row_label == label), key=lambda record: record.cell.seed)
        codes = runs[0].groups["unseen"]
        per_seed = []
        for run in runs:
            answers = store.predictions(run)
            items = sorted(set(answers.item_id))
            place = {item: number for number, item in enumerate(items)}
            right = np.full((len(codes), len(items)), np.nan)
            for code, item, correct in zip(answers.language, answers.item_id, answers.correct, strict=True):
                if code in codes:
                    right[codes.index(code), place[item]] = correct
            per_seed.append(right)
        rows.append(np.stack(per_seed))
    present = ~np.isnan(rows[0]).all(axis=(0, 1))
    x_a, x_b = (reduce(row[:, :, present]) for row in rows)
    expected = detectable_difference(x_a, x_b, seeds=8, clusters=2 * x_a.shape[1])
    assert plan.clusters == x_a.shape[1]
    assert plan.detectable[8, 2 * plan.clusters].estimate == pytest.approx(expected.estimate)
    assert len(plan.detectable) == len(SEEDS) * len(ITEMS)


def test_more_seeds_and_items_find_less_and_the_answer_is_the_first_that_does() -> None:
    plan = plan_power(Store(REFERENCE), Filter(task="cldr"), "xpe:seen", "spt:seen", 0.02)
    estimates = [plan.detectable[seeds, plan.clusters].estimate for seeds in SEEDS]
    assert estimates == sorted(estimates, reverse=True)
    needed = plan.needed_seeds(plan.clusters)
    assert needed == next(seeds for seeds, value in zip(SEEDS, estimates, strict=True) if value <= 0.02)
    safe = plan.needed_seeds(plan.clusters, safely=True)
    assert needed is not None
    assert safe is not None
    assert safe >= needed
    tiny = plan_power(Store(REFERENCE), Filter(task="cldr"), "xpe:seen", "spt:seen", 1e-6)
    assert tiny.needed_seeds(tiny.clusters) is None


def test_the_command_answers_in_a_sentence(program: Command) -> None:
    said = program("power", "xpe:seen", "spt:seen", "--effect", "2", "--store", REFERENCE)
    assert said.code == 0, said.err
    assert "2 points need 5 seeds of each on these 120 items; to be safe, 15." in said.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--effect", "0"], "--effect is a difference in percentage points between 0 and 100, not 0"),
        (["--power", "1"], "--power must lie between 0.05 and 1, such as 0.8, not 1"),
        (["--comparisons", "0"], "--comparisons must be at least 1, not 0"),
        (["--level", "2"], "--level must lie between 0 and 1"),
    ],
)
def test_values_out_of_range_are_refused(program: Command, options: list[str], message: str) -> None:
    said = program("power", "xpe:seen", "spt:seen", "--store", REFERENCE, *options)
    assert said.code == 2
    assert message in said.err


def test_one_run_cannot_show_how_seeds_vary(run: Command, command: Command) -> None:
    for seeds, method in (("1", "majority"), ("2", "ngram-linear")):
        assert run("-m", method, "--seeds", seeds).code == 0
    said = command("power", "majority", "ngram-linear")
    assert said.code == 2
    assert "'majority' has one run" in said.err
    with pytest.raises(ConfigError, match="no row 'xpe'"):
        plan_power(Store(Path("xlt-results")), Filter(), "xpe", "majority", 0.02)


def test_each_shipped_method_says_what_it_does(program: Command) -> None:
    lines = program("ls", "methods").out.splitlines()
    summaries = {line.split()[0]: line.split("xlt-bench", 1)[1].strip() for line in lines if "  xlt-bench" in line}
    assert set(summaries) == set(names(METHODS))
    assert summaries["xpe"].startswith("XPE, the cross-prompt encoder")
    assert summaries["lora"] == SUMMARIES["Lora"]
    assert len(set(summaries.values())) >= len(summaries) - 1, "dual is dual-70"


def test_a_method_in_full(program: Command) -> None:
    page = program("ls", "methods", "xpe").out
    assert "  n_tokens = 20" in page
    assert "  learning_rate = the preset's" in page
    assert "Backbone: yes" in page
    closed_form = program("ls", "methods", "centroid").out
    assert "No hyper-parameters." in closed_form
    assert "Fit: means of mean-pooled states, class by class" in closed_form
    assert "no method 'xpp'; did you mean 'xpe'?" in program("ls", "methods", "xpp").err
    assert "ls tasks takes no name" in program("ls", "tasks", "cldr").err


def test_prefetch_loads_what_is_there_and_says_what_is_not(program: Command) -> None:
    said = program("prefetch", "cldr", "nope", "--backbone", "no/such")
    assert said.code == 1
    assert said.out.startswith("task cldr: 124 languages, data ")
    assert "backbone nano: hash " in said.out
    assert "task nope: no task 'nope'" in said.err
    assert "backbone no/such: backbone 'no/such' could not be fetched" in said.err
    assert "name tasks of: xlt-bench ls tasks; or give --backbone" in program("prefetch").err


def test_the_doctor_says_versions_machine_and_caches(program: Command) -> None:
    facts = json.loads(program("doctor", "--no-offline", "--json").out)
    assert set(facts) == {"versions", "machine", "caches", "hub"}
    assert facts["versions"]["torch"].startswith("2.")
    assert "GPU" in " ".join(facts["machine"])
    (answer,) = facts["hub"].values()
    assert any(text in answer for text in ("not asked: HF_HUB_OFFLINE is set", " answers", " does not answer ("))
    lines = program("doctor", "--no-offline").out.splitlines()
    assert "versions" in lines
    assert any(line.startswith("  extra peft: ") for line in lines)


def test_the_doctor_tries_each_task_without_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [
        ["cldr", "data", "ready"], ["cldr", "backbone", "ready"], ["sib200", "data", "away"],
        ["sib200", "backbone", "ready"], ["nusax", "data", "ready"],
    ]  # fmt: skip
    lines = "\n".join(f"print({json.dumps(state)!r})" for state in states)
    monkeypatch.setattr(doctor, "_OFFLINE", f"{lines}\nprint('noise')\nraise SystemExit('it broke')")
    ready = dict(doctor._offline())
    assert (ready["cldr"], ready["sib200"]) == ("yes", "no, its data: xlt-bench prefetch sib200")
    assert ready["nusax"] == ready["massive"] == "not known: it broke"


def test_an_extra_that_the_doctor_names_can_be_installed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(doctor.EXTRAS) <= set(extras)


def test_a_method_made_by_its_module_says_what_it_does(command: Command) -> None:
    listed = command("ls", "methods").out.splitlines()
    assert [line.split(maxsplit=2)[2] for line in listed if line.startswith("lora ")] == [SUMMARIES["Lora"]]


def test_choices_of_a_hyper_parameter_are_shown(tmp_path: Path, command: Command) -> None:
    file = tmp_path / "chosen.py"
    file.write_text(CHOSEN, encoding="utf-8")
    assert "  mode = mean, or max" in command("ls", "methods", f"{file}:Chosen").out.splitlines()


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [("xpe:seen", "xpe:seen", "is compared with itself"), ("xpe:seen", "gone", "no row")],
)
def test_a_plan_needs_two_rows(first: str, second: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_power(Store(REFERENCE), Filter(task="cldr"), first, second, 0.02)
