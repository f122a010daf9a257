"""The files of a backbone's folder: which are read, whether they are whole, and their hash. Imports no torch.

What is hashed is what transformers reads. So everything by which a folder could make it read other files (or run code)
is refused by name: the hash would not cover them.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.io.file_hashes import sha256_of
from xlt_bench.io.json_files import read_object
from xlt_bench.io.paths import is_file
from xlt_bench.io.texts import shortened

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

CONFIG = "config.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_TOKENIZER = "tokenizer.json"
_VOCABULARIES = (_TOKENIZER, "*.model", "vocab.txt", "vocab.json")
"""Any of these makes a tokenizer."""
FILES = (
    CONFIG,
    _TOKENIZER_CONFIG,
    *_VOCABULARIES,
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
_WHOLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_SHARDS = "model-*.safetensors"
WEIGHTS = (_WHOLE, _INDEX, _SHARDS)

_ADAPTER = "adapter_config.json"
"""With this file in a folder, transformers loads the backbone that it names, and an adapter on top."""

_REFUSED: Mapping[str, str] = {
    "auto_map": "code of its own, which is never run",
    "custom_generate": "code of its own, which is never run",
    "transformers_weights": "other files of weights than model.safetensors",
    "fast_tokenizer_files": "other files than tokenizer.json",
    "quantization_config": "quantised weights, which are not read",
}
"""Keys of a configuration, and what they name. Each is refused where it has a value."""
_KERNELS = ("attn_implementation", "_attn_implementation", "experts_implementation")
"""Keys that may name a repository of the hub, from which compiled code is loaded."""


def check_files(name: str, folder: Path) -> tuple[Path, ...]:
    """The files that are read from a folder, in the order of their names.

    Raises:
        BackboneError: a file that is missing, cut off, no file of its kind, or one that leads to others.
    """
    if not is_file(folder / CONFIG):
        raise BackboneError(f"backbone '{name}': {folder} has no config.json; give a folder saved by save_pretrained")
    if not any(_present(folder, _VOCABULARIES)):
        raise BackboneError(
            f"backbone '{name}': {folder} has no tokenizer (tokenizer.json); save the tokenizer beside it"
        )
    if is_file(folder / _ADAPTER):
        raise BackboneError(
            f"backbone '{name}': {folder} has an adapter_config.json, with which other weights would be loaded; "
            "keep adapters in a folder of their own (xlt-bench evaluate ADAPTER, run --init-from ADAPTER)"
        )
    try:
        _check_configs(folder)
    except ConfigError as error:
        raise BackboneError(f"backbone '{name}': {error}") from error
    files = {*_present(folder, FILES), *_weights(name, folder)}
    _check_whole(name, files)
    return tuple(sorted(files))


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


def hash_of(paths: Iterable[Path]) -> str:
    """Sixteen hexadecimal digits over the names and contents of files, in this order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        digest.update(sha256_of(path))
    return digest.hexdigest()[:16]


def first_line(error: Exception) -> str:
    """The first line of a message from another library, cut."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _check_configs(folder: Path) -> None:
    """Refuse configurations that are no JSON or lead to other files.

    Raises:
        ConfigError: the first of these.
    """
    for file in (CONFIG, _TOKENIZER, _TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json"):
        path = folder / file
        content = read_object(path) if is_file(path) else {}
        if file != _TOKENIZER:  # a vocabulary may have any words
            for key, value in _entries(content):
                _check_entry(path, key, value)
    # with a tokenizer.json, transformers leaves alone which vocabulary the configuration names
    named = {} if is_file(folder / _TOKENIZER) else _tokenizer_config(folder)
    for key, value in named.items():
        if key.endswith("_file") and isinstance(value, str):
            raise ConfigError(
                f"{folder / _TOKENIZER_CONFIG} names a file in place of those beside it "
                f"({shortened(key)} = '{shortened(value)}'); remove that entry"
            )


def _check_entry(path: Path, key: str, value: object) -> None:
    if key in _REFUSED and value:
        raise ConfigError(f"{path} has '{key}', which names {_REFUSED[key]}; remove it, if the model works without")
    if key in _KERNELS and isinstance(value, str) and "/" in value:
        raise ConfigError(
            f"{path} has '{key}', which names code on the hub ('{shortened(value)}'), which is never loaded; remove it"
        )


def _tokenizer_config(folder: Path) -> dict[str, Any]:
    path = folder / _TOKENIZER_CONFIG
    return read_object(path) if is_file(path) else {}


def _entries(content: object) -> Iterator[tuple[str, object]]:
    """All keys of an object and of those inside it, with their values."""
    pending = [content]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value.items()
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _weights(name: str, folder: Path) -> tuple[Path, ...]:
    """The files that transformers takes weights from: one, or the shards that an index names, and the index."""
    if is_file(folder / _WHOLE):
        return (folder / _WHOLE,)
    index = folder / _INDEX
    if not is_file(index):
        raise BackboneError(
            f"backbone '{name}': {folder} has no model.safetensors (pickled weights are not loaded); "
            "convert it with save_pretrained(..., safe_serialization=True)"
        )
    shards = _shards(name, index)
    missing = [shard for shard in shards if not is_file(folder / shard)]
    if missing:
        raise BackboneError(f"backbone '{name}': {folder} lacks {', '.join(missing[:3])}; fetch it again")
    return (index, *(folder / shard for shard in shards))


def _shards(name: str, index: Path) -> list[str]:
    try:
        shards: list[str] = sorted(set(read_object(index)["weight_map"].values()))
        foreign = [shard for shard in shards if "/" in shard or not fnmatch.fnmatch(shard, _SHARDS)]
    except (ConfigError, KeyError, TypeError, AttributeError) as error:
        raise BackboneError(f"backbone '{name}': {index} is no index of weights; fetch it again") from error
    if not shards:
        raise BackboneError(f"backbone '{name}': {index} names no weights; fetch it again")
    if foreign:
        raise BackboneError(
            f"backbone '{name}': {index} names '{shortened(foreign[0])}', which is no {_SHARDS} beside it; "
            "save the model again with save_pretrained"
        )
    return shards


def _check_whole(name: str, files: Iterable[Path]) -> None:
    """Read the headers, so that a file that was cut off or is a Git LFS pointer is refused before anything runs."""
    from safetensors import SafetensorError, safe_open

    for path in files:
        if path.suffix != ".safetensors":
            continue
        try:
            with safe_open(path, "np"):
                pass
        except (OSError, SafetensorError) as error:
            raise BackboneError(
                f"backbone '{name}': {path} is no whole safetensors file ({first_line(error)}); fetch it again"
            ) from error


def _present(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    return (path for pattern in patterns for path in folder.glob(pattern) if is_file(path))
