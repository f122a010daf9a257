"""Files that a user asks for by name: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.io.outputs import make_folder, write_output


def test_a_file_that_cannot_be_written_whole_keeps_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "board.html"
    target.write_text("precious")

    def full(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigError, match=r"-o .*board.html cannot be written: No space left on device; give another"):
        write_output(target, "new content", "-o")
    assert target.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["board.html"]


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old")
    (tmp_path / "link.md").symlink_to("old.md")
    write_output(tmp_path / "link.md", "new", "-o")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "old.md").read_text() == "new"


def test_a_device_is_written_into() -> None:
    write_output(Path("/dev/null"), b"gone", "-o")
    assert not Path("/dev/null").is_file()
    with pytest.raises(ConfigError, match="-o /dev/full cannot be written: No space left on device"):
        write_output(Path("/dev/full"), "text", "-o")


@pytest.mark.parametrize("name", ["x" * 300, "file/x", "loop/x", "a\0b", "a\udcff\0"])
def test_a_place_that_cannot_be_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for attempt in (lambda: write_output(tmp_path / name, "x", "-o"), lambda: make_folder(tmp_path / name, "-o")):
        with pytest.raises(ConfigError, match="cannot be written") as refused:
            attempt()
        assert "\n" not in str(refused.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]
