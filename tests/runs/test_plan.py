"""Cells, fingerprints and seeds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.commands import process_environment
from tests.support.records import cell
from tests.support.toy import CODES
from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell
from xlt_bench.runs.option_values import check_seeds, read_seeds
from xlt_bench.runs.protocols import protocol_of

PINNED = "d73190a8337d9a6d"


def test_the_fingerprint_is_what_it_always_was() -> None:
    assert cell().fingerprint == PINNED


def test_a_fresh_process_gives_the_same_fingerprint() -> None:
    code = "from tests.support.records import cell; print(cell().fingerprint)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=process_environment(PYTHONHASHSEED="7"),
        check=True,
    )
    assert done.stdout.strip() == cell().fingerprint


def test_a_cell_survives_json() -> None:
    own = cell(seed=4)
    back = Cell.from_json(json.loads(json.dumps(own.as_json())))
    assert back == own
    assert back.fingerprint == own.fingerprint


def test_the_order_of_hyperparameters_does_not_matter() -> None:
    assert cell(hyperparameters={"a": 1, "b": 2}).fingerprint == cell(hyperparameters={"b": 2, "a": 1}).fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"task_hash": "x"},
        {"backbone_hash": "x"},
        {"method": "spt"},
        {"hyperparameters": {"n_tokens": 21}},
        {"preset": "paper"},
        {"recipe": {"batch_size": 16}},
        {"sources": CODES[:2]},
        {"targets": CODES[4:]},
        {"precision": "bf16"},
    ],
)
def test_every_part_of_the_configuration_tells(change: dict[str, object]) -> None:
    assert cell(**change).configuration != cell().configuration
    assert cell(**change).fingerprint != cell().fingerprint


def test_a_seed_is_another_run_of_the_same_configuration() -> None:
    assert cell(seed=1).configuration == cell().configuration
    assert cell(seed=1).fingerprint != cell().fingerprint


def test_the_name_of_a_backbone_is_not_its_identity() -> None:
    assert cell(backbone="./copy-of-nano").fingerprint == cell().fingerprint


def test_in_the_full_protocol_a_target_is_another_run_of_the_same_configuration() -> None:
    template = cell(sources=(), protocol="full")
    planned = protocol_of(template).cells(template, (0, 1), (None,), template)
    assert [(c.seed, c.targets) for c in planned] == [(s, (t,)) for s in (0, 1) for t in CODES[3:]]
    assert len({c.configuration for c in planned}) == 1
    assert len({c.fingerprint for c in planned}) == 6


def test_zero_shot_cells_keep_all_targets() -> None:
    found = protocol_of(cell()).cells(cell(), (2, 5), (None,), cell())
    assert [(c.seed, c.targets) for c in found] == [(2, CODES[3:]), (5, CODES[3:])]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (0, 1, 2)), ("1", (0,)), ("4,7", (4, 7)), ("4,", (4,)), (" 4 , 7 ", (4, 7)), ("0,", (0,)), ("7,4", (7, 4))],
)
def test_seeds_as_written(text: str, seeds: tuple[int, ...]) -> None:
    assert read_seeds(text, "--seeds") == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "at least 1"),
        ("x", "not 'x'"),
        ("", "not ''"),
        (",", "not ','"),
        ("1,,2", "not '1,,2'"),
        ("-1", "not '-1'"),
        ("1.5", "not '1.5'"),
        ("\u0663", "takes a count"),
        ("2,2", "names a seed twice"),
        ("1234", "for seed 1234 alone: --seeds 1234,"),
        ("4294967296,", "from 0 to 4294967295"),
    ],
)
def test_seeds_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_seeds(text, "--seeds")
    assert message in str(caught.value)


def test_seeds_from_python_are_whole_numbers() -> None:
    with pytest.raises(ConfigError, match=r"a seed is a whole number.*1\.5"):
        check_seeds((1.5,))  # type: ignore[arg-type]
