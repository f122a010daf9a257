"""Methods that save too little, or what nobody should load."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.support.faulty_methods.sound import FittedWords, Words
from xlt_bench.method import FitSummary

# loads_the_same_elsewhere


class SavesHalf(FittedWords):
    def save(self, folder: Path) -> None:
        half = self.weights.astype(np.float16).astype(np.float32)
        save_file({"weights": half}, folder / "weights.safetensors")


@dataclass(frozen=True)
class LosesPrecision(Words):
    fitted = SavesHalf


# saves_nothing_pickled


class Pickles(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "extra").write_bytes(pickle.dumps({"summary": self.summary}))


@dataclass(frozen=True)
class SavesAPickle(Words):
    fitted = Pickles


PICKLE = pickle.dumps({"classes": [FitSummary, FitSummary]})


class SavesText(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "more.json").write_text(json.dumps({"classes": base64.b64encode(PICKLE).decode()}))


@dataclass(frozen=True)
class SavesAPickleAsText(Words):
    fitted = SavesText


class SavesTensor(FittedWords):
    def save(self, folder: Path) -> None:
        bytes_of_pickle = np.frombuffer(PICKLE, np.uint8).astype(np.int64)
        save_file({"weights": self.weights, "more": bytes_of_pickle}, folder / "weights.safetensors")


@dataclass(frozen=True)
class SavesAPickleAsATensor(Words):
    fitted = SavesTensor


class SavesZipped(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "more.gz").write_bytes(gzip.compress(PICKLE))


@dataclass(frozen=True)
class SavesAZippedPickle(Words):
    fitted = SavesZipped
