"""A GGUF file, as llama.cpp packs models, made into a backbone's folder: transformers reads and dequantises it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from xlt_bench.backbones.folder import first_line
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.io.atomic import move_in, temporary
from xlt_bench.io.paths import is_file, is_there
from xlt_bench.io.texts import shortened


def convert(file: Path, folder: Path) -> None:
    """Write config, weights in float32 and tokenizer of a GGUF file into a new folder, for `--backbone`.

    Args:
        folder: must not be there yet.

    Raises:
        ConfigError: no such file, a folder that is there, or the package gguf is missing.
        BackboneError: no model that transformers can read, or of a type that is not served. Nothing is left behind.
    """
    if not is_file(file):
        raise ConfigError(f"no file '{shortened(file)}'; backbone convert takes a GGUF file")
    if is_there(folder):
        raise ConfigError(f"--to: {shortened(folder)} is there already; give a new folder")
    if importlib.util.find_spec("gguf") is None:
        raise ConfigError("a GGUF file is read with the package gguf: pip install 'xlt-bench[llm]'")
    try:
        with temporary(folder.absolute().parent) as draft:
            converted = draft / folder.name
            _write(file.absolute(), converted)
            locate(str(converted))  # refuses what no run could use
            move_in(converted, folder.absolute())
    except OSError as error:
        raise BackboneError(f"{shortened(folder)} cannot be written ({error.strerror or error})") from error


def _write(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from xlt_bench.backbones.backbone import quiet

    try:
        with quiet():
            model: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except Exception as error:  # gguf and transformers raise many unrelated classes for a broken file
        raise BackboneError(f"{shortened(file)} holds no model that can be read ({first_line(error)})") from error
    model.hf_quantizer, model.is_quantized = None, False  # what is saved is plain float32
    if hasattr(model.config, "quantization_config"):
        delattr(model.config, "quantization_config")
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
