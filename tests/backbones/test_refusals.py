"""What no fit could be made with, or none that could predict, is refused before anything runs, in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer

from tests.support.architectures import tiny_model
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError, ConfigError


def refusal(folder: Path) -> str:
    with pytest.raises(BackboneError) as refused:
        locate(str(folder))
    message = str(refused.value)
    assert "\n" not in message
    return message


def rewritten(folder: Path, file: str, **changes: Any) -> Path:
    path = folder / file
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return folder


def test_an_id_beyond_the_embedding_names_token_id_and_rows(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "xlm-roberta")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = len(tokenizer)
    tokenizer.add_tokens(["schlecht"])
    tokenizer.save_pretrained(folder)
    message = refusal(folder)
    assert f"'schlecht' id {rows}, but the embedding has {rows} rows (ids 0 to {rows - 1})" in message


def test_a_tokenizer_without_a_pad_token(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "llama")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    assert "has no pad token" in refusal(folder)


@pytest.mark.parametrize("model_type", ["bart", "mamba", "vit", "gemma3n_text"])
def test_a_type_that_is_not_served_names_those_that_are(model_type: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "bert")
    AutoConfig.for_model(model_type).save_pretrained(folder)
    message = refusal(folder)
    assert f"type '{model_type}' is not served" in message
    assert "xlm-roberta" in message
    assert "decoders: gemma" in message


def test_an_encoder_that_is_configured_as_a_decoder(tmp_path: Path) -> None:
    folder = rewritten(tiny_model(tmp_path / "model", "bert"), "config.json", is_decoder=True)
    assert "makes a decoder of type 'bert'" in refusal(folder)


def test_an_xmod_without_a_language_lists_its_languages(tmp_path: Path) -> None:
    folder = rewritten(tiny_model(tmp_path / "model", "xmod"), "config.json", default_language=None)
    message = refusal(folder)
    assert "no default_language" in message
    assert "en_XX, de_DE" in message


def test_a_decoder_is_not_read_at_its_first_position(tmp_path: Path) -> None:
    architecture = locate(str(tiny_model(tmp_path / "model", "llama"))).architecture
    with pytest.raises(ConfigError, match=r"--read-out takes last or mean for a backbone of type 'llama', not 'first'"):
        architecture.check_read_out("first")
