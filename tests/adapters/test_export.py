"""Exported prompts: plain peft gives our logits; the card's code runs; what cannot be exported is told in one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from tests.support import ROOT
from tests.support.architectures import tiny_model
from tests.support.commands import Command
from tests.support.toy import LABELS, all_examples
from xlt_bench.backbones.architectures import EXPORTABLE
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.method import Context
from xlt_bench.plugins.methods import configure
from xlt_bench.recipe import Recipe
from xlt_bench.records.store import Store

LIMIT = 1e-5
TEXTS = [example.text for example in all_examples()]


def ours(store: Store, fingerprint: str, backbone: Backbone) -> NDArray[np.float32]:
    """The logits of the run's own saved weights."""
    record = store.find(fingerprint)
    settings = {name: str(value) for name, value in record.cell.hyperparameters.items() if value is not None}
    recipe = Recipe.from_json(record.cell.recipe)
    context = Context(LABELS, record.cell.seed, recipe, load_backbone=lambda: backbone)
    fitted = configure(record.cell.method, settings).method.load(store.folder_of(fingerprint) / "weights", context)
    return fitted.predict(all_examples())


@torch.no_grad()
def theirs(backbone: Path, adapter: Path, texts: list[str] = TEXTS) -> NDArray[np.float32]:
    """The logits of peft and transformers alone, loaded as their users do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        base = AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=3)
        model = PeftModel.from_pretrained(base, adapter).eval()
    encoded = AutoTokenizer.from_pretrained(backbone)(
        texts, padding=True, return_tensors="pt", return_token_type_ids=False
    )
    found: NDArray[np.float32] = model(**encoded).logits.numpy()
    return found


@pytest.mark.parametrize("method", ["spt", "xpe", "dual"])
def test_plain_peft_gives_the_same_logits(
    method: str, command: Command, trained: Store, fingerprints: dict[str, str], tiny_backbone: Backbone, tmp_path: Path
) -> None:
    said = command("export", fingerprints[method], "--to", tmp_path / "out", "--store", trained.folder)
    assert said.code == 0, said.err
    found = theirs(tiny_backbone.source.folder, tmp_path / "out")
    assert found.std(0).min() > 100 * LIMIT, "the items must differ, or equality would tell nothing"
    assert_allclose(ours(trained, fingerprints[method], tiny_backbone), found, rtol=0, atol=LIMIT)


@pytest.mark.parametrize("model_type", EXPORTABLE)
def test_plain_peft_gives_the_same_logits_on_every_type_that_is_exported(
    model_type: str, command: Command, tmp_path: Path
) -> None:
    backbone = tiny_model(tmp_path / "backbone", model_type)
    said = command(
        "run", "-m", "xpe", "--task", "toy", "--sources", "joshi5", "--seeds", 1, "--steps", 3, "--device", "cpu",
        "--rate-factors", "1,50", "--backbone", backbone, "--save-weights", "--store", "store",
    )  # fmt: skip
    assert said.code == 0, said.err
    store = Store(tmp_path / "store")
    (record,) = store.records()[0]
    assert command("export", record.cell.fingerprint, "--to", "out", "--store", "store").code == 0
    theirs_alone = theirs(backbone, tmp_path / "out")
    assert theirs_alone.std(0).min() > 100 * LIMIT
    expected = ours(store, record.cell.fingerprint, Backbone(locate(str(backbone))))
    assert_allclose(expected, theirs_alone, rtol=0, atol=LIMIT)


def test_what_depends_on_the_language_of_a_text_is_not_exported(command: Command, tmp_path: Path) -> None:
    backbone = tiny_model(tmp_path / "backbone", "xmod")
    run = ("run", "-m", "spt", "--task", "toy", "--sources", "deu_Latn", "--targets", "fra_Latn", "--seeds", 1)
    assert command(*run, "--steps", 1, "--device", "cpu", "--backbone", backbone, "--save-weights").code == 0
    (record,) = Store(tmp_path / "xlt-results").records()[0]
    refusal = command("export", record.cell.fingerprint, "--to", "out")
    assert refusal.code == 2
    assert "sends each text through the modules of its language, which plain peft would not" in refusal.err
    assert not (tmp_path / "out").exists()


def test_a_plugin_soft_prompt_is_exported_too(command: Command, tiny_backbone: Backbone, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
    (tmp_path / "my_prompt.py").write_text(re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[0], encoding="utf-8")
    said = command(
        "run", "-m", f"{tmp_path / 'my_prompt.py'}:LowRankPrompt", "--task", "toy", "--sources", "joshi5",
        "--seeds", 1, "--steps", 3, "--device", "cpu", "--save-weights", "--set", "n_tokens=4",
    )  # fmt: skip
    assert said.code == 0, said.err
    (path,) = [path for path in (tmp_path / "xlt-results").iterdir() if len(path.name) == 16]
    assert command("export", path.name[:8], "--to", "out").code == 0
    assert theirs(tiny_backbone.source.folder, tmp_path / "out").shape == (len(TEXTS), 3)


@pytest.mark.parametrize("option", [("--read-out", "mean"), ("--text-prefix", "query: ")])
def test_what_plain_peft_would_score_otherwise_is_refused(
    option: tuple[str, str], command: Command, tmp_path: Path
) -> None:
    run = ("run", "-m", "spt", "--task", "toy", "--sources", "joshi5", "--seeds", 1, "--steps", 2, "--device", "cpu")
    assert command(*run, "--save-weights", *option).code == 0
    (path,) = [path for path in (tmp_path / "xlt-results").iterdir() if len(path.name) == 16]
    said = command("export", path.name, "--to", "out")
    assert said.code == 2
    assert "plain peft reads position 0 of texts as they are" in said.err
    assert not (tmp_path / "out").exists()


def test_a_prompt_adapted_to_a_target_is_exported_with_that_language(
    command: Command, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    said = command(
        "run", "-m", "xpe", "--task", "toy", "--sources", "joshi5", "--protocol", "full", "--targets", "tha_Thai",
        "--seeds", 1, "--steps", 2, "--target-steps", 2, "--device", "cpu", "--save-weights",
    )  # fmt: skip
    assert said.code == 0, said.err
    store = Store(tmp_path / "xlt-results")
    (record,) = store.records()[0]
    assert command("export", record.cell.fingerprint, "--to", "out").code == 0
    found = theirs(tiny_backbone.source.folder, tmp_path / "out")
    assert_allclose(ours(store, record.cell.fingerprint, tiny_backbone), found, rtol=0, atol=LIMIT)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "- tha" in card.split("---")[1]
    assert "none of them among the training languages" not in card


def card_code(folder: Path) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def test_the_code_in_the_card_runs_and_names_classes(
    command: Command, trained: Store, fingerprints: dict[str, str], tiny_backbone: Backbone, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    command("export", fingerprints["xpe"], "--to", "out", "--store", trained.folder)
    monkeypatch.chdir(tmp_path / "out")
    code = card_code(Path()).replace('["first text", "second text"]', repr(TEXTS))
    known: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        exec(code, known)
    expected = ours(trained, fingerprints["xpe"], tiny_backbone)
    assert_allclose(known["logits"].numpy(), expected, rtol=0, atol=LIMIT)
    assert known["config"].id2label == dict(enumerate(LABELS))


def test_with_nano_the_card_runs_in_a_process_without_our_package(command: Command, tmp_path: Path) -> None:
    """nano is stored in half precision and is on no hub: the adapter brings a copy that loads in float32."""
    run = ("run", "-m", "xpe", "--task", "toy", "--backbone", "nano", "--sources", "joshi5", "--device", "cpu")
    assert command(*run, "--seeds", 1, "--steps", 4, "--save-weights").code == 0
    (path,) = [path for path in (tmp_path / "xlt-results").iterdir() if len(path.name) == 16]
    assert command("export", path.name, "--to", "out").code == 0
    after = "\nimport sys, json\njson.dump([logits.tolist(), 'xlt_bench' in sys.modules], open('said.json', 'w'))\n"
    script = card_code(tmp_path / "out").replace('["first text", "second text"]', repr(TEXTS)) + after
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path / "out", check=True)
    said, imported = json.loads((tmp_path / "out" / "said.json").read_text())
    assert not imported
    expected = ours(Store(tmp_path / "xlt-results"), path.name, Backbone(locate("nano")))
    assert_allclose(np.asarray(said), expected, rtol=0, atol=LIMIT)


def test_the_card_tells_languages_scores_licence_and_labels(
    command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    out = command("export", fingerprints["spt"], "--to", "out", "--store", trained.folder, "--licence", "mit").out
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    metadata = card.split("---")[1]
    assert "library_name: peft" in metadata
    assert "license: mit" in metadata
    assert "- eng\n- deu" in metadata
    assert "base_model:" not in metadata, "a folder of this machine is no hub id"
    assert "--base-model" in out, "and that is said"
    for label in LABELS:
        assert label in card
    (row,) = re.findall(r"\| unseen \| 2 \| ([^|]+) \| ([^|]+) \|", card)
    assert re.fullmatch(r"\d+\.\d \(\d+\.\d-\d+\.\d\)", row[0])
    assert row[1].endswith("2 seeds"), "the other seed is told too: nobody can pass the best one for the method"
    scores = json.loads((tmp_path / "out" / "scores.json").read_text(encoding="utf-8"))
    record = trained.find(fingerprints["spt"])
    assert scores["accuracy"] == record.accuracy
    assert AutoConfig.from_pretrained(tmp_path / "out").label2id == {label: at for at, label in enumerate(LABELS)}


def test_the_base_model_can_be_named_by_a_hub_id(
    command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    named = ("--base-model", "FacebookAI/xlm-roberta-large")
    assert command("export", fingerprints["spt"], "--to", "out", "--store", trained.folder, *named).code == 0
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "FacebookAI/xlm-roberta-large"
    assert config["revision"] == "c23d21b0620b635a76227c604d44e43a9f0ee389", "pinned, as the harness pins it"
    assert "base_model: FacebookAI/xlm-roberta-large" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_is_not_empty_is_left_alone(
    command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    call = ("export", fingerprints["spt"], "--to", "out", "--store", trained.folder)
    said = command(*call)
    assert said.code == 2
    assert "not empty" in said.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    assert command(*call, "--overwrite").code == 0
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing temporary is left"


@pytest.mark.parametrize("method", ["full-finetuning", "majority", "head-only", "spt-verbaliser"])
def test_what_is_no_soft_prompt_is_refused(
    method: str, command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    said = command("export", fingerprints[method], "--to", "out", "--store", trained.folder)
    assert said.code == 2
    assert "holds no soft prompt; what can be exported is any method built on SoftPrompt" in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_weights_the_command_that_keeps_them_is_told(command: Command, tmp_path: Path) -> None:
    run = ("run", "-m", "spt", "--task", "toy", "--sources", "joshi5", "--seeds", 1, "--steps", 2, "--device", "cpu")
    command(*run)
    (path,) = [path for path in (tmp_path / "xlt-results").iterdir() if len(path.name) == 16]
    said = command("export", path.name, "--to", "out")
    assert said.code == 2
    assert "--save-weights" in said.err
    assert "xlt-bench run -m spt --task toy --sources joshi5" in said.err


def test_records_are_found_by_first_digits_or_not_at_all(
    command: Command, trained: Store, fingerprints: dict[str, str]
) -> None:
    record = trained.find(fingerprints["spt"])
    store = ("--store", trained.folder)
    assert command("export", fingerprints["spt"][:7], "--to", "out", *store).code == 0
    for digits, told in (
        ("xyz", "first digits"),
        ("0000000", "no Record '0000000'"),
        (record.cell.configuration[:8], "is a row of the board with 2 runs"),
    ):
        said = command("export", digits, "--to", "other", *store)
        assert said.code == 2
        assert told in said.err


def test_another_backbone_than_the_run_had_is_refused(
    command: Command, trained: Store, fingerprints: dict[str, str]
) -> None:
    said = command("export", fingerprints["spt"], "--to", "out", "--store", trained.folder, "--backbone", "nano")
    assert said.code == 2
    assert "is not the one of Record" in said.err


def test_a_folder_that_cannot_be_written_is_told(
    command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for folder, told in (("file", "is a file"), ("file/inside", "cannot be written")):
        said = command("export", fingerprints["spt"], "--to", folder, "--store", trained.folder)
        assert said.code == 2
        assert told in said.err
        assert said.err.count("\n") == 1


def test_damaged_weights_are_told(
    command: Command, trained: Store, fingerprints: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(trained.folder, tmp_path / "copy")
    weights = tmp_path / "copy" / fingerprints["spt"] / "weights" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    said = command("export", fingerprints["spt"], "--to", "out", "--store", "copy")
    assert said.code == 2
    assert "no whole safetensors file" in said.err
    assert said.err.count("\n") == 1
