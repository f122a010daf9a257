"""Files from outside: limits, pipes, JSON."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.io.json_files import read_object
from xlt_bench.io.reading import read_limited
from xlt_bench.io.texts import cut_words, shown


def test_no_more_than_one_byte_beyond_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_limited(path, 100) == read_limited(path, 10) == b"0123456789"
    assert read_limited(path, 4) == b"01234"
    path.write_bytes(gzip.compress(b"0" * 1_000_000))
    assert len(read_limited(path, 5000, packed=True)) == 5001


def test_a_small_file_takes_little_memory_whatever_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"small")
    tracemalloc.start()
    read_limited(path, 1 << 40)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 26


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_a_device_without_an_end_is_no_file(path: str) -> None:
    with pytest.raises(OSError, match="no regular file"):
        read_limited(Path(path), 10)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is no JSON"),
        (b'{"a":' * 100_000, "is no JSON (nested too deep)"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b"[]", "holds no JSON object"),
        (b"3", "holds no JSON object"),
    ],
    ids=["cut", "deep", "another encoding", "digits", "list", "number"],
)
def test_what_is_no_json_object_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_object(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < len(str(path)) + 300


class Unshowable:
    """Cannot be written."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_values_are_shown_whatever_they_are() -> None:
    assert shown(2.5) == "2.5"
    assert shown(10**5000) == "a int that cannot be shown"
    assert shown(Unshowable()) == "a Unshowable that cannot be shown"
    assert len(shown(["x" * 1000])) == 100


def test_only_very_long_words_are_cut() -> None:
    path = "/".join(["folder"] * 30)
    assert cut_words(f"no file {path}; give one") == f"no file {path}; give one"
    assert len(cut_words(f"no file {'x' * 5000}; give one")) < 300
    assert cut_words("a " * 1000) == "a " * 1000
