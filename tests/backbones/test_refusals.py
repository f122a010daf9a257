"""What no fit could be made with, or none that could predict, is refused before anything runs, in one line."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer

from tests.support.architectures import tiny_model
from xlt_bench.backbones.backbone import Backbone
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


def test_an_xmod_whose_default_language_has_no_modules_lists_its_languages(tmp_path: Path) -> None:
    folder = rewritten(tiny_model(tmp_path / "model", "xmod"), "config.json", default_language="xx_XX")
    message = refusal(folder)
    assert "default_language 'xx_XX', which has no modules" in message
    assert "fr_XX, de_DE" in message


def test_a_decoder_is_not_read_at_its_first_position(tmp_path: Path) -> None:
    architecture = locate(str(tiny_model(tmp_path / "model", "llama"))).architecture
    with pytest.raises(ConfigError, match=r"--read-out takes last or mean for a backbone of type 'llama', not 'first'"):
        architecture.check_read_out("first")


def sharded(folder: Path, shard: str, place: str | None = None) -> None:
    """Move the weights into a shard that an index names."""
    (folder / "model.safetensors").rename(folder / (place or shard))
    weights = load_file(folder / (place or shard))
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, shard)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def vocabulary_elsewhere(folder: Path) -> None:
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abc"]
    (folder / "vocab.txt").write_text("\n".join(words))
    (folder / "tokenizer.json").unlink()
    rewritten(folder, "tokenizer_config.json", vocab_file=str(folder.parent / "vocab.txt"))


class Executed:
    """Makes a folder where it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("unpickled",))


def pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    save_file({"x": torch.zeros(1)}, folder / "model-decoy.safetensors")


def evil_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Executed()))


def deep(folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


CODE = {"AutoModel": "own.Model", "AutoConfig": "own.Config", "AutoTokenizer": ["own.Tokenizer", None]}
LEADING_ELSEWHERE: dict[str, tuple[Callable[[Path], object], str]] = {
    "code of a model": (lambda f: rewritten(f, "config.json", auto_map=CODE), "config.json has 'auto_map'"),
    "code of a part": (lambda f: rewritten(f, "config.json", text_config={"auto_map": CODE}), "has 'auto_map'"),
    "code of a tokenizer": (
        lambda f: rewritten(f, "tokenizer_config.json", auto_map=CODE, tokenizer_class="Own"),
        "tokenizer_config.json has 'auto_map', which names code of its own, which is never run",
    ),
    "code that generates": (lambda f: rewritten(f, "config.json", custom_generate="own"), "has 'custom_generate'"),
    "kernels of the hub": (
        lambda f: rewritten(f, "config.json", attn_implementation="someone/kernel"),
        "names code on the hub ('someone/kernel')",
    ),
    "other weights": (
        lambda f: rewritten(f, "config.json", transformers_weights="other.safetensors"),
        "'transformers_weights', which names other files of weights",
    ),
    "quantised weights": (
        lambda f: rewritten(f, "config.json", quantization_config={"quant_method": "gptq"}),
        "'quantization_config', which names quantised weights",
    ),
    "another file of the tokenizer": (
        lambda f: rewritten(f, "tokenizer_config.json", fast_tokenizer_files=["tokenizer.4.0.0.json"]),
        "'fast_tokenizer_files', which names other files than tokenizer.json",
    ),
    "a vocabulary elsewhere": (vocabulary_elsewhere, "names a file in place of those beside it (vocab_file = "),
    "a shard of another name": (
        lambda f: sharded(f, "part.safetensors"),
        "names 'part.safetensors', which is no model-",
    ),
    "a shard elsewhere": (
        lambda f: sharded(f, "../model-1.safetensors"),
        "names '../model-1.safetensors', which is no model-*.safetensors beside it",
    ),
    "a shard at an absolute path": (lambda f: sharded(f, "/model-1.safetensors", "model-1.safetensors"), "which is no"),
    "a pickled shard": (lambda f: sharded(f, "model-1.bin"), "names 'model-1.bin', which is no"),
    "an index of nothing": (lambda f: sharded_by(f, {"weight_map": {}}), "names no weights"),
    "an index of numbers": (lambda f: sharded_by(f, {"weight_map": {"a": 3}}), "is no index of weights"),
    "an adapter": (
        lambda f: (f / "adapter_config.json").write_text('{"base_model_name_or_path": "elsewhere"}'),
        "has an adapter_config.json",
    ),
    "pickled weights beside a decoy": (pickled, "has no model.safetensors (pickled weights are not loaded)"),
    "a pickle that runs code": (evil_pickle, "has no model.safetensors (pickled weights are not loaded)"),
    "a deep configuration": (deep, "config.json is no JSON (nested too deep)"),
}


def sharded_by(folder: Path, index: dict[str, object]) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("kind", LEADING_ELSEWHERE)
def test_what_leads_to_other_files_or_to_code_is_refused_by_name(
    kind: str, tmp_path: Path, tiny_backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, message = LEADING_ELSEWHERE[kind]
    folder = Path(shutil.copytree(tiny_backbone_folder, tmp_path / "model"))
    (folder / "own.py").write_text("import os\nos.mkdir('executed')\n")
    monkeypatch.chdir(tmp_path)
    change(folder)
    assert message in refusal(folder)
    assert not {"executed", "unpickled"} & {path.name for path in tmp_path.iterdir()}


DECOYS = ("pytorch_model.bin", "model-00001-of-00002.safetensors", "model.fp16.safetensors", "tf_model.h5", "README.md")


def test_the_hash_covers_what_is_read_and_nothing_else(tmp_path: Path, tiny_backbone_folder: Path) -> None:
    folder = Path(shutil.copytree(tiny_backbone_folder, tmp_path / "model"))
    source = locate(str(folder))
    weights = Backbone(source).weights_hash()
    for decoy in DECOYS:
        (folder / decoy).write_text("nothing that could be loaded")
    with_decoys = locate(str(folder))
    assert (with_decoys.fingerprint, Backbone(with_decoys).weights_hash()) == (source.fingerprint, weights)
    for file in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        content = (folder / file).read_text()
        (folder / file).write_text(content + "\n")
        assert locate(str(folder)).fingerprint != source.fingerprint, file
        (folder / file).write_text(content)
    for file in ("added_tokens.json", "special_tokens_map.json"):
        (folder / file).write_text("{}")
        assert locate(str(folder)).fingerprint != source.fingerprint, file
        (folder / file).unlink()


def test_shards_are_hashed_in_place_of_one_file(tmp_path: Path, tiny_backbone_folder: Path) -> None:
    folder = Path(shutil.copytree(tiny_backbone_folder, tmp_path / "model"))
    weights = Backbone(locate(str(folder))).weights_hash()
    sharded(folder, "model-00001-of-00001.safetensors")
    (folder / "model-00002-of-00002.safetensors").write_text("a decoy that the index does not name")
    source = locate(str(folder))
    assert Backbone(source).weights_hash() == weights
    shard = folder / "model-00001-of-00001.safetensors"
    save_file({name: value * 0.5 for name, value in load_file(shard).items()}, shard, {"format": "pt"})
    changed = locate(str(folder))
    assert Backbone(changed).weights_hash() != weights
    assert changed.fingerprint != source.fingerprint


def test_a_vocabulary_alone_makes_a_tokenizer(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "bert")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "quick"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    source = locate(str(folder))
    tokenised = Backbone(source).tokenise([("Quick river", None)], 8)
    assert [ids.tolist() for ids in tokenised.ids] == [[2, 6, 5, 3]]
    (folder / "vocab.txt").write_text("\n".join([*words, "jazz"]) + "\n")
    assert locate(str(folder)).fingerprint != source.fingerprint
