"""Token ids by content: found again, never mixed up, whole or absent, and no reason to fail."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from xlt_bench.backbones import token_cache
from xlt_bench.backbones.token_cache import Texts, TokenCache
from xlt_bench.backbones.tokenised import Tokenised

TEXTS: Texts = [("river", None), ("a", "b"), ("", "ab"), ("long text", None)]


@pytest.fixture(autouse=True)
def _every_list_is_worth_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "_WORTH_A_FILE", 1)


class Counted:
    """Tokenises texts into their characters and counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def get(self, cache: TokenCache, texts: Texts = TEXTS, max_length: int = 9) -> Tokenised:
        def tokenise() -> Tokenised:
            self.calls += 1
            rows = [first + (second or "") for first, second in texts]
            return Tokenised(tuple(np.array([ord(c) for c in "<" + row], np.int64)[:max_length] for row in rows), 1)

        return cache.get(texts, max_length, tokenise, pad_id=1)


def same(one: Tokenised, other: Tokenised) -> bool:
    return one.pad_id == other.pad_id and all(
        a.dtype == b.dtype and a.tolist() == b.tolist() for a, b in zip(one.ids, other.ids, strict=True)
    )


def test_a_second_process_finds_what_the_first_computed(tmp_path: Path) -> None:
    count = Counted()
    first = count.get(TokenCache("one", tmp_path))
    again = count.get(TokenCache("one", tmp_path))
    assert count.calls == 1
    assert same(first, again)


def test_within_a_process_it_is_the_same_object(tmp_path: Path) -> None:
    cache, count = TokenCache("one", tmp_path), Counted()
    assert count.get(cache) is count.get(cache, [*TEXTS])


@pytest.mark.parametrize(
    ("identity", "texts", "limit"),
    [
        ("two", TEXTS, 9),
        ("one", TEXTS, 8),
        ("one", TEXTS[::-1], 9),
        ("one", [("river", None), ("ab", None), ("", "ab"), ("long text", None)], 9),
        ("one", [("river", None), ("a", "b"), ("a", "b"), ("long text", None)], 9),
    ],
)
def test_whatever_differs_is_computed_anew(identity: str, texts: Texts, limit: int, tmp_path: Path) -> None:
    count = Counted()
    count.get(TokenCache("one", tmp_path))
    count.get(TokenCache(identity, tmp_path), texts, limit)
    assert count.calls == 2


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_computed_anew_and_mended(damage: bytes | None, tmp_path: Path) -> None:
    count = Counted()
    expected = count.get(TokenCache("one", tmp_path))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-4] if damage is None else damage)
    assert same(count.get(TokenCache("one", tmp_path)), expected)
    assert same(count.get(TokenCache("one", tmp_path)), expected)
    assert count.calls == 2


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    count = Counted()
    assert len(count.get(TokenCache("one", tmp_path / "file" / "tokens"))) == len(TEXTS)


def test_several_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Counted().get(TokenCache("one", tmp_path)), range(16)))
    assert all(same(one, found[0]) for one in found)
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_the_oldest_files_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "_ON_DISK", 2)
    count = Counted()
    for at in range(3):
        count.get(TokenCache("one", tmp_path), [(str(at), None)])
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert len(list(tmp_path.iterdir())) == 2
    count.get(TokenCache("one", tmp_path), [("2", None)])
    assert count.calls == 3
    count.get(TokenCache("one", tmp_path), [("0", None)])
    assert count.calls == 4


def test_few_texts_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "_WORTH_A_FILE", len(TEXTS) + 1)
    Counted().get(TokenCache("one", tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_user_s_cache_folder_is_where_the_system_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Counted().get(TokenCache("one"))
    assert len(list((tmp_path / "xlt-bench" / "tokens").iterdir())) == 1
