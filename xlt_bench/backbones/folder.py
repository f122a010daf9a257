"""The files of a backbone's folder: which are read, whether they are whole, and their hash. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

CONFIG = "config.json"
FILES = (CONFIG, "tokenizer.json", "tokenizer_config.json", "*.model", "special_tokens_map.json", "vocab*")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")
_TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model")


def check_files(name: str, folder: Path) -> None:
    """Refuse a folder from which no model and tokenizer can be loaded.

    Raises:
        BackboneError: a file that is missing, cut off or no file of its kind.
    """
    if not (folder / CONFIG).is_file():
        raise BackboneError(f"backbone '{name}': {folder} has no config.json; give a folder saved by save_pretrained")
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise BackboneError(
            f"backbone '{name}': {folder} has no tokenizer (tokenizer.json); save the tokenizer beside it"
        )
    if not list(_present(folder, WEIGHTS)):
        raise BackboneError(
            f"backbone '{name}': {folder} has no model.safetensors (pickled weights are not loaded); "
            "convert it with save_pretrained(..., safe_serialization=True)"
        )
    for path in (folder / CONFIG, folder / "tokenizer.json", folder / "tokenizer_config.json"):
        if path.is_file():
            _check_json(name, path)
    _check_weights(name, folder)


def read_config(name: str, folder: Path) -> PreTrainedConfig:
    """The configuration, with transformers' defaults where the file leaves something out.

    Raises:
        BackboneError: transformers cannot read it.
    """
    from transformers import AutoConfig

    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # garbage in a config surfaces as whatever its class stumbles over
        raise BackboneError(
            f"backbone '{name}': transformers cannot read {folder / CONFIG} ({first_line(error)})"
        ) from error
    return config


def hash_of(folder: Path) -> str:
    """Sixteen hexadecimal digits over all files that are read."""
    digest = hashlib.sha256()
    for path in sorted({*_present(folder, FILES), *_present(folder, WEIGHTS)}):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def first_line(error: Exception) -> str:
    """The first line of a message from another library, cut."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _check_json(name: str, path: Path) -> None:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackboneError(f"backbone '{name}': {path} is no JSON ({error}); save it again") from error
    if not isinstance(content, dict):
        raise BackboneError(f"backbone '{name}': {path} holds no JSON object; save it again")


def _check_weights(name: str, folder: Path) -> None:
    """Read the headers, so that a file that was cut off or is a Git LFS pointer is refused before anything runs."""
    from safetensors import SafetensorError, safe_open

    for path in _present(folder, ("*.safetensors",)):
        try:
            with safe_open(path, "np"):
                pass
        except (OSError, SafetensorError) as error:
            raise BackboneError(
                f"backbone '{name}': {path} is no whole safetensors file ({first_line(error)}); fetch it again"
            ) from error
    index = folder / "model.safetensors.index.json"
    if index.is_file() and not (folder / "model.safetensors").is_file():
        try:
            shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackboneError(f"backbone '{name}': {index} is no index of weights; fetch it again") from error
        missing = sorted(shard for shard in shards if not (folder / shard).is_file())
        if missing:
            raise BackboneError(f"backbone '{name}': {folder} lacks {', '.join(missing[:3])}; fetch it again")


def _present(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))
