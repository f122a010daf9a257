"""Whether a saved file is plain data: of a format that runs no code, with no pickle hidden in its values."""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

_SHORTEST = 24
"""Characters of a text from which on it may be an encoded pickle that does something."""


def fault_of(file: Path) -> str | None:
    """Why a file is no plain data, in words; None where it is."""
    read = _FORMATS.get(file.suffix.lower())
    if read is None:
        return f"is of no known format of plain data ({', '.join(_FORMATS)})"
    try:
        pickles = any(_is_pickle(data) for data in read(file))
    except (SafetensorError, ValueError, OSError) as error:  # of JSON and Unicode too
        return f"does not hold what its name says: {' '.join(str(error).split())[:100]}"
    return "may hold pickled objects" if pickles else None


def _safetensors(file: Path) -> Iterator[bytes]:
    with safe_open(file, "pt") as opened:
        for text in (opened.metadata() or {}).values():
            yield from _texts(text)
    for tensor in load_file(file).values():
        if not tensor.is_floating_point() and not tensor.is_complex():
            yield _bytes(tensor)


def _bytes(tensor: Tensor) -> bytes:
    """A tensor's numbers as bytes: those of one byte each as they are, greater ones where all of them are bytes."""
    flat = tensor.flatten()
    if tensor.element_size() > 1 and flat.numel() and int(flat.min()) >= 0 and int(flat.max()) < 256:
        flat = flat.to(torch.uint8)
    return flat.contiguous().view(torch.uint8).numpy().tobytes()


def _json(file: Path) -> Iterator[bytes]:
    return _values(json.loads(file.read_text(encoding="utf-8")))


def _values(value: Any) -> Iterator[bytes]:
    if isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _values(inner)
    elif isinstance(value, list):
        if value and all(type(number) is int and 0 <= number < 256 for number in value):
            yield bytes(value)
        for inner in value:
            yield from _values(inner)


def _text(file: Path) -> Iterator[bytes]:
    for word in file.read_text(encoding="utf-8").split():
        yield from _texts(word)


def _parquet(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    if not data.startswith(b"PAR1"):
        raise ValueError("no Parquet")
    return iter(())


def _texts(text: str) -> Iterator[bytes]:
    """What a text may stand for: its characters as bytes, base64, base85, hexadecimal digits."""
    if len(text) < _SHORTEST:
        return
    decoders: tuple[Callable[[str], bytes], ...] = (
        lambda encoded: encoded.encode("latin-1"),
        base64.urlsafe_b64decode,
        lambda encoded: base64.b64decode(encoded, validate=True),
        base64.b85decode,
        bytes.fromhex,
    )
    for decode in decoders:
        try:
            yield decode(text)
        except (ValueError, binascii.Error):
            continue


def _is_pickle(data: bytes) -> bool:
    """Whether bytes are a whole pickle that builds more than a number or a text; it is not run."""
    try:
        operations = [operation.name for operation, _, _ in pickletools.genops(data)]
    except Exception:  # whatever it chokes on is no pickle
        return False
    return len(operations) > 3


_FORMATS: Mapping[str, Callable[[Path], Iterator[bytes]]] = MappingProxyType(
    {
        ".safetensors": _safetensors,
        ".json": _json,
        ".parquet": _parquet,
        ".txt": _text,
        ".tsv": _text,
        ".csv": _text,
        ".md": _text,
    }
)
