"""Hashes of files are remembered while a file is as it was; whatever happens to it or to the cache, they are right."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xlt_bench.backbones.folder import check_files, hash_of
from xlt_bench.io import file_hashes, signatures
from xlt_bench.io.file_hashes import sha256_of

CONTENT = b"weights of a backbone"
LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own; a file counts as large whatever its size, and as settled at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(file_hashes, "_LEAST_BYTES", 0)
    monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 0)
    return tmp_path / "cache" / "xlt-bench" / "hashes"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(CONTENT)
    os.utime(path, LONG_AGO)
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read whole from now on."""
    names: list[str] = []
    digest = hashlib.file_digest

    def counted(file: Any, algorithm: Any) -> Any:
        names.append(Path(file.name).name)
        return digest(file, algorithm)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    return names


def check(path: Path) -> None:
    """The hash is that of the content."""
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).digest()


def test_a_file_is_read_once_by_whatever_path(weights: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    check(weights)
    check(weights)
    monkeypatch.chdir(weights.parent)
    check(Path(weights.name))
    assert reads == [weights.name]


def rewrite(path: Path, content: bytes = CONTENT.upper()) -> None:
    with path.open("r+b") as file:
        file.write(content)


def replace_by_another(path: Path) -> None:
    """With its size and its time, as `cp --preserve` and a rename would."""
    other = path.with_name("other")
    other.write_bytes(CONTENT.upper())
    os.utime(other, LONG_AGO)
    other.replace(path)


def set_back(path: Path) -> None:
    changed = path.stat().st_ctime_ns
    rewrite(path)
    while path.stat().st_ctime_ns == changed:  # a file system's clock has ticks of milliseconds
        os.utime(path, LONG_AGO)


def link_elsewhere(path: Path) -> None:
    path.rename(path.with_name("first"))
    shutil.copy2(path.with_name("first"), path.with_name("second"))
    set_back(path.with_name("second"))
    path.symlink_to("second")


CHANGES: list[Callable[[Path], None]] = [
    lambda path: rewrite(path, CONTENT + b" and more"),
    rewrite,
    set_back,
    replace_by_another,
    link_elsewhere,
]


@pytest.mark.parametrize("change", CHANGES, ids=["longer", "same size", "time set back", "replaced", "another target"])
def test_a_changed_file_is_read_again(change: Callable[[Path], None], weights: Path, reads: list[str]) -> None:
    check(weights)
    change(weights)
    check(weights)
    check(weights)
    assert len(reads) == 2


def test_what_was_changed_a_moment_ago_is_not_remembered(
    weights: Path, reads: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the time of its content is set back: another change within the resolution of times would not show."""
    monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 2 * 10**9)
    check(weights)
    check(weights)
    assert len(reads) == 2
    assert not cache.exists()


def test_what_changes_while_it_is_read_is_not_remembered(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.file_digest

    def disturbed(file: Any, algorithm: Any) -> Any:
        outcome = digest(file, algorithm)
        rewrite(weights)
        return outcome

    with monkeypatch.context() as reading:
        reading.setattr(hashlib, "file_digest", disturbed)
        sha256_of(weights)
    assert not cache.exists()
    check(weights)


def test_a_small_file_is_not_remembered(weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "_LEAST_BYTES", len(CONTENT) + 1)
    check(weights)
    assert not cache.exists()


def another_digit(entry: dict[str, Any]) -> dict[str, Any]:
    digits = entry["answer"]
    return {**entry, "answer": ("0" if digits[0] != "0" else "1") + digits[1:]}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda entry: b"",
    "cut off": lambda entry: entry[:-9],
    "no text": lambda entry: b"\xff\x00" + entry,
    "a digit is another": lambda entry: json.dumps(another_digit(json.loads(entry))).encode(),
    "of another version": lambda entry: json.dumps({"version": 7, "sha256": "0" * 64}).encode(),
    "another kind of JSON": lambda entry: b"[1, 2]",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_cache_costs_time(
    damage: Callable[[bytes], bytes], weights: Path, reads: list[str], cache: Path
) -> None:
    check(weights)
    (entry,) = cache.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    check(weights)
    assert len(reads) == 2
    check(weights)
    assert len(reads) == 2, "it is mended"


def test_a_cache_that_cannot_be_written_costs_time(tmp_path: Path, weights: Path, reads: list[str]) -> None:
    (tmp_path / "cache").write_text("no folder")
    check(weights)
    check(weights)
    assert len(reads) == 2


def hash_often(paths: list[Path]) -> list[bool]:
    hashes = [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    return [sha256_of(path) == digest for _ in range(20) for path, digest in zip(paths, hashes, strict=True)]


def test_processes_share_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it takes fewer files than there are, so that they remove what others are about to read."""
    monkeypatch.setattr("xlt_bench.io.remembered._MOST_ANSWERS", 3)
    paths = [tmp_path / f"model-{number}.safetensors" for number in range(5)]
    for path in paths:
        path.write_bytes(path.name.encode())
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert all(all(outcome) for outcome in pool.map(hash_often, [paths, paths[::-1]]))
    assert len(list(cache.glob("*.json"))) <= 4
    assert not list(cache.glob(".tmp-*"))


def test_the_hash_of_a_backbone_is_as_before_and_reads_its_files_once(
    tiny_backbone_folder: Path, tmp_path: Path, reads: list[str]
) -> None:
    folder = tmp_path / "backbone"
    shutil.copytree(tiny_backbone_folder, folder)
    files = check_files("backbone", folder)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    assert [hash_of(files) for _ in range(2)] == [digest.hexdigest()[:16]] * 2
    assert reads == [path.name for path in files]
