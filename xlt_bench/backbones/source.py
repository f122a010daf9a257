"""Where a backbone lies and what identifies it: a folder and the hash of its files. Imports no torch."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from xlt_bench.errors import BackboneError
from xlt_bench.io.hub import snapshot

Precision = Literal["fp32", "bf16"]
"""Of the forward pass; parameters that are trained stay float32."""

NANO = "nano"
NO_BACKBONE = "none"
REVISIONS = {"FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389"}
"""Hub revisions that are pinned; any other hub id is read at its main branch, and its hash tells what it was."""

BARE_NAMES = {f"xlm-roberta-{size}": f"FacebookAI/xlm-roberta-{size}" for size in ("base", "large")}
"""Names without an owner, as the hub once had them, and the ids that they stand for."""

_TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model")
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "*.model", "special_tokens_map.json", "vocab*")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")


@dataclass(frozen=True)
class BackboneSource:
    """A backbone's name as the user gave it, its folder, and the hash of the files that are read from it."""

    name: str
    folder: Path
    fingerprint: str


def check_name(name: str) -> None:
    """Refuse what can be no backbone, before anything is loaded.

    Raises:
        BackboneError: neither `nano`, nor a local folder, nor of the form owner/name.
    """
    if name == NANO or Path(name).is_dir():
        return
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name) is None:
        close = difflib.get_close_matches(name.rpartition("/")[2], (NANO, *BARE_NAMES), n=1, cutoff=0.7)
        hint = f"; did you mean '{BARE_NAMES.get(close[0], close[0])}'?" if close else ""
        raise BackboneError(
            f"no backbone '{name}': neither 'nano', nor a local folder, nor a hub id such as owner/name{hint}"
        )


def locate(name: str) -> BackboneSource:
    """Find a backbone: `nano` (shipped), a local folder, or a Hugging Face hub id; and look into its files.

    Raises:
        BackboneError: no such folder, a folder without readable config, tokenizer or safetensors weights, a model that
            is no encoder, hub out of reach.
    """
    check_name(name)
    if name == NANO:
        with as_file(files("xlt_bench.backbones") / NANO) as folder:
            return _checked(name, folder)
    return _checked(name, Path(name) if Path(name).is_dir() else _download(name))


def _download(hub_id: str) -> Path:
    try:
        return snapshot(hub_id, (*_FILES, *_WEIGHTS), REVISIONS.get(hub_id))
    except Exception as error:  # the hub client raises many unrelated classes: offline, timeout, 404, gated
        raise BackboneError(
            f"backbone '{hub_id}' could not be fetched from the hub ({type(error).__name__}: {_first_line(error)}); "
            "offline, give a local folder with its files: --backbone FOLDER, or use --backbone nano"
        ) from error


def _checked(name: str, folder: Path) -> BackboneSource:
    if not (folder / "config.json").is_file():
        raise BackboneError(f"backbone '{name}': {folder} has no config.json; give a folder saved by save_pretrained")
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise BackboneError(
            f"backbone '{name}': {folder} has no tokenizer (tokenizer.json); save the tokenizer beside it"
        )
    if not list(_present(folder, _WEIGHTS)):
        raise BackboneError(
            f"backbone '{name}': {folder} has no model.safetensors (pickled weights are not loaded); "
            "convert it with save_pretrained(..., safe_serialization=True)"
        )
    _check_json(name, folder)
    _check_tokenizer(name, folder)
    _check_weights(name, folder)
    _check_encoder(name, folder)
    return BackboneSource(name, folder, _hash(folder))


def _check_json(name: str, folder: Path) -> None:
    for path in (folder / "config.json", folder / "tokenizer.json", folder / "tokenizer_config.json"):
        if path.is_file():
            try:
                whole = isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
            except (OSError, ValueError) as error:
                raise BackboneError(f"backbone '{name}': {path} is no JSON ({error}); save it again") from error
            if not whole:
                raise BackboneError(f"backbone '{name}': {path} holds no JSON object; save it again")


def _check_tokenizer(name: str, folder: Path) -> None:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if path.is_file():
        try:
            Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise BackboneError(
                f"backbone '{name}': {path} holds no tokenizer ({_first_line(error)}); save it again"
            ) from error


def _check_weights(name: str, folder: Path) -> None:
    """Read the headers, so that a file that was cut off or is a Git LFS pointer is told before anything runs."""
    from safetensors import SafetensorError, safe_open

    for path in _present(folder, ("*.safetensors",)):
        try:
            with safe_open(path, "np"):
                pass
        except (OSError, SafetensorError) as error:
            raise BackboneError(
                f"backbone '{name}': {path} is no whole safetensors file ({_first_line(error)}); fetch it again"
            ) from error
    index = folder / "model.safetensors.index.json"
    if index.is_file() and not (folder / "model.safetensors").is_file():
        try:
            parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackboneError(f"backbone '{name}': {index} is no index of weights; fetch it again") from error
        missing = sorted(part for part in parts if not (folder / part).is_file())
        if missing:
            raise BackboneError(f"backbone '{name}': {folder} lacks {', '.join(missing[:3])}; fetch it again")


def _check_encoder(name: str, folder: Path) -> None:
    """The head reads position 0, which in a decoder has seen nothing of the text."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # garbage in a config surfaces as whatever its class stumbles over
        raise BackboneError(
            f"backbone '{name}': transformers cannot read {folder / 'config.json'} ({_first_line(error)})"
        ) from error
    kind = str(config.model_type)
    decodes = bool(getattr(config, "is_decoder", False) or getattr(config, "is_encoder_decoder", False))
    if decodes or kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise BackboneError(
            f"backbone '{name}' is of type '{kind}', no encoder with masked language modelling; "
            "give one such as nano or FacebookAI/xlm-roberta-base"
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


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
