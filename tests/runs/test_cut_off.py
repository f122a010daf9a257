"""Runs that a scheduler ends: exit code 75, and the same command ends with the Record of an undisturbed run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Command, Output

PLUGIN = """
import os, signal
from dataclasses import dataclass
from pathlib import Path
from xlt_bench.methods.spt import SPT

def interrupt(name):
    path = Path(name)
    if path.exists():
        count, number = path.read_text().split()
        path.write_text(f"{int(count) - 1} {number}")
        if count == "0":
            path.unlink()
            os.kill(os.getpid(), getattr(signal, number))

@dataclass(frozen=True, kw_only=True)
class Interrupted(SPT):
    def loss(self, outputs, batch):
        interrupt("interrupt-step")
        return super().loss(outputs, batch)

    def fitted(self, module, context, summary):
        interrupt("interrupt-end")
        return super().fitted(module, context, summary)
"""
VOLATILE = ("timing", "created", "peak_memory_bytes")


@pytest.fixture
def run_it(command: Command) -> Any:
    Path("plugin.py").write_text(PLUGIN)

    def call(store: str, *arguments: str) -> Output:
        fixed = ("--task", "toy", "--sources", "joshi5", "--device", "cpu", "--seeds", "2", "--store", store)
        return command("run", "-m", "plugin.py:Interrupted", "--steps", "12", *fixed, *arguments)

    return call


def interrupt(place: str, count: int, name: str) -> None:
    Path(f"interrupt-{place}").write_text(f"{count} {name}")


def manifests(store: str) -> list[Any]:
    plain = [json.loads(path.read_text()) for path in sorted(Path(store).glob("*/record.json"))]
    return [{name: value for name, value in each.items() if name not in VOLATILE} for each in plain]


def predictions(store: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(Path(store).glob("*/predictions.parquet"))]


def kept(store: str) -> list[str]:
    return [path.name for path in Path(store, ".checkpoints").glob("*")]


@pytest.mark.parametrize("protocol", ["zero-shot", "full"])
def test_the_same_command_goes_on_and_ends_with_the_same_records(run_it: Any, protocol: str) -> None:
    options = (
        "--protocol",
        protocol,
        "--targets",
        "kat_Geor",
        *(["--target-steps", "6"] if protocol == "full" else []),
    )
    assert run_it("undisturbed", *options).code == 0
    # in the first fit; in a later one (full: in the one that adapts from it), between two steps
    for count, name in ((3, "SIGTERM"), (14, "SIGUSR2")):
        interrupt("step", count, name)
        stopped = run_it("cut", *options)
        assert stopped.code == 75
        assert stopped.err.endswith(f"stopped by {name}; the same command goes on from here\n")
        assert len(kept("cut")) == 1
    again = run_it("cut", *options)
    assert again.code == 0
    assert " goes on from its checkpoint at step " in again.err
    assert kept("cut") == []
    assert manifests("cut") == manifests("undisturbed")
    assert predictions("cut") == predictions("undisturbed")
    assert len(predictions("cut")) == 2


def test_a_signal_outside_of_training_ends_the_run_at_once(run_it: Any) -> None:
    interrupt("end", 0, "SIGTERM")
    stopped = run_it("cut", "--seeds", "1")
    assert stopped.code == 75
    assert manifests("cut") == []


def test_without_checkpoints_none_is_written_and_a_signal_ends_the_run_at_once(run_it: Any) -> None:
    interrupt("step", 3, "SIGTERM")
    assert run_it("cut", "--no-checkpoints").code == 75
    assert not Path("cut", ".checkpoints").exists()


LANGUAGES = """
from dataclasses import dataclass
from torch.optim.optimizer import register_optimizer_step_post_hook
from plugin import interrupt
from xlt_bench.methods.madx import MadX

@dataclass(frozen=True, kw_only=True)
class Interrupted(MadX):
    def fit_language(self, language, texts, context):
        hook = register_optimizer_step_post_hook(lambda *unused: interrupt("interrupt-step"))
        try:
            return super().fit_language(language, texts, context)
        finally:
            hook.remove()
"""


@pytest.fixture
def run_languages(run_it: Any, command: Command, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path.cwd())
    Path("languages.py").write_text(LANGUAGES)

    def call(store: str, *arguments: str) -> Output:
        fixed = ("--task", "toy", "--sources", "eng_Latn", "--targets", "kat_Geor", "--device", "cpu", "--seeds", "1")
        steps = ("--steps", "4", "--set", "language_steps=8", "--store", store)
        return command("run", "-m", "languages.py:Interrupted", *fixed, *steps, *arguments)

    return call


def without_seconds(store: str) -> list[Any]:
    plain = manifests(store)
    for manifest in plain:
        for language in manifest["fit"]["languages"].values():
            assert language.pop("seconds") > 0
    return plain


def test_a_language_goes_on_too_and_leaves_no_checkpoint(run_languages: Any) -> None:
    """Stopped in the fit of the first language, then in that of the second, which alone is made again."""
    assert run_languages("undisturbed").code == 0
    for count in (3, 7):  # the first language has four steps to go then, and the second makes four
        interrupt("step", count, "SIGTERM")
        assert run_languages("cut").code == 75
        assert len(list(Path("cut", ".checkpoints", "languages").glob("*.safetensors"))) == 1
    again = run_languages("cut")
    assert again.code == 0
    assert "language kat_Geor goes on from its checkpoint at step 4 of 8" in again.err
    assert not list(Path("cut", ".checkpoints", "languages").glob("*"))
    assert without_seconds("cut") == without_seconds("undisturbed")
    assert predictions("cut") == predictions("undisturbed")


def test_without_checkpoints_a_signal_ends_the_fit_of_a_language_at_once(run_languages: Any) -> None:
    interrupt("step", 3, "SIGTERM")
    assert run_languages("cut", "--no-checkpoints").code == 75
    assert not Path("cut", ".checkpoints").exists()


def test_a_number_of_minutes_that_cannot_be_is_refused(run_it: Any) -> None:
    refused = run_it("cut", "--checkpoint-minutes", "0")
    assert refused.code == 2
    assert "--checkpoint-minutes must be a whole number of at least 1, not 0" in refused.err
