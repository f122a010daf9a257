"""Where a backbone lies and what identifies it: a folder and the hash of its files. Imports no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from xlt_bench.errors import BackboneError

Precision = Literal["fp32", "bf16"]
"""Of the forward pass; parameters that are trained stay float32."""

NANO = "nano"
NO_BACKBONE = "none"
REVISIONS = {"FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389"}
"""Hub revisions that are pinned; any other hub id is read at its main branch, and its hash tells what it was."""

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "*.model", "special_tokens_map.json", "vocab*")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")


@dataclass(frozen=True)
class BackboneSource:
    """A backbone's name as the user gave it, its folder, and the hash of the files that are read from it."""

    name: str
    folder: Path
    fingerprint: str


def locate(name: str) -> BackboneSource:
    """Find a backbone: `nano` (shipped), a local folder, or a Hugging Face hub id.

    Raises:
        BackboneError: no such folder, a folder without config, tokenizer or safetensors weights, hub out of reach.
    """
    if name == NANO:
        with as_file(files("xlt_bench.backbones") / NANO) as folder:
            return _checked(name, folder)
    if Path(name).is_dir():
        return _checked(name, Path(name))
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise BackboneError(
            f"no backbone '{name}': neither 'nano', nor a local folder, nor a hub id such as owner/name"
        )
    return _checked(name, _download(name))


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, revision=REVISIONS.get(hub_id), allow_patterns=[*_FILES, *_WEIGHTS]))
    except Exception as error:  # the hub client raises many unrelated classes: offline, timeout, 404, gated
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BackboneError(
            f"backbone '{hub_id}' could not be fetched from the hub ({type(error).__name__}: {reason[:160]}); "
            "offline, give a local folder with its files: --backbone FOLDER, or use --backbone nano"
        ) from error


def _checked(name: str, folder: Path) -> BackboneSource:
    if not (folder / "config.json").is_file():
        raise BackboneError(f"backbone '{name}': {folder} has no config.json; give a folder saved by save_pretrained")
    if not any((folder / file).is_file() for file in ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model")):
        raise BackboneError(
            f"backbone '{name}': {folder} has no tokenizer (tokenizer.json); save the tokenizer beside it"
        )
    if not list(_present(folder, _WEIGHTS)):
        raise BackboneError(
            f"backbone '{name}': {folder} has no model.safetensors (pickled weights are not loaded); "
            "convert it with save_pretrained(..., safe_serialization=True)"
        )
    return BackboneSource(name, folder, _hash(folder))


def _present(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted({*_present(folder, _FILES), *_present(folder, _WEIGHTS)}):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
