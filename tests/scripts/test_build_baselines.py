"""The data files follow from the raw results, byte for byte; what does not fit is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.build_baselines import DATA, americas_nli, build, nusax, sib200
from scripts.build_baselines.tables import fraction
from xlt_bench.errors import DataError

BUILT = {
    "sib200-test-items.csv",
    "gpt-3.5.csv",
    "gpt-4.csv",
    "nearest-id.csv",
    "sib200-table7.csv",
    "mteb-linear-probe.csv",
    "emma500-3shot.csv",
    "tipa.csv",
    "nusax-fine-tuned.csv",
    "nusax-mteb-linear-probe.csv",
    "nusax-mteb-linear-probe-f1.csv",
    "americas-nli-logs.csv",
}


def test_the_build_is_byte_for_byte(shared: Path) -> None:
    made = build(shared)
    assert set(made) == BUILT
    for name, content in made.items():
        assert (DATA / name).read_bytes() == content.encode(), name


@pytest.mark.slow
def test_the_command_writes_the_files(shared: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.build_baselines", "--shared", str(shared), "--out", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert {path.name for path in tmp_path.iterdir()} == BUILT
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (DATA / path.name).read_bytes()


@pytest.mark.parametrize(
    ("per_cent", "expected"), [("60.77", "0.6077"), ("48", "0.48"), ("9.1", "0.091"), ("100", "1.00"), ("0", "0.00")]
)
def test_per_cent_becomes_a_fraction_digit_for_digit(per_cent: str, expected: str) -> None:
    assert fraction(per_cent) == expected


def test_a_mean_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "emma500-sib200-3shot.csv").write_text("Model,Avg,eng_Latn,deu_Latn\nA,0.5,0.4,0.6\nB,0.5,0.4,0.5\n")
    with pytest.raises(DataError, match=r"the mean of B is not its Avg 0\.5"):
        sib200._emma(tmp_path)


def test_a_mean_of_nusax_that_does_not_fit_is_refused(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nusax-senti"
    folder.mkdir()
    content = (shared / "nusax-senti" / "baselines.csv").read_text(encoding="utf-8")
    (folder / "baselines.csv").write_text(content.replace("86.0,80.0", "86.0,80.2"), encoding="utf-8")
    with pytest.raises(DataError, match=r"the mean of XLM-R Large is not its AVG 80\.2"):
        nusax.build(tmp_path)


def test_a_log_that_is_missing_is_named(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "americasnli"
    folder.mkdir()
    lines = (shared / "americasnli" / "baselines.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if "translate-test, seed 42" not in line or "shp_Latn" not in line]
    assert len(left) == len(lines) - 1
    (folder / "baselines.csv").write_text("".join(left), encoding="utf-8")
    with pytest.raises(DataError, match=r"no row of .*'XLM-R large', 'translate-test, seed 42', 'shp_Latn'"):
        americas_nli.build(tmp_path)


def test_a_language_that_sib200_lacks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mteb-sib200-linear-probe.csv").write_text("code,a__b\neng_Latn,50\nxxx_Latn,40\n")
    with pytest.raises(DataError, match="codes that the task lacks: xxx_Latn"):
        sib200._mteb(tmp_path)


def test_a_missing_raw_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*mteb-sib200-linear-probe\.csv: No such file"):
        sib200._mteb(tmp_path)
    command = [sys.executable, "-m", "scripts.build_baselines", "--shared", str(tmp_path / "absent")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_files_name_no_folder_and_hold_no_text() -> None:
    for path in DATA.iterdir():
        content = path.read_text(encoding="utf-8")
        assert "\t" not in content
        assert not any(part in content for part in ("/home", "/root", "../", "C:\\"))
