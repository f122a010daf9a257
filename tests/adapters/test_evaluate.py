"""`xlt-bench evaluate`: an existing adapter becomes a Record that says no more than is known."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import (
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
)
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertModel

from tests.support.architectures import tiny_model
from tests.support.checkpoints import WEIGHTS, config_of, reference, write_checkpoint, write_config
from tests.support.commands import Command
from tests.support.toy import CODES, GROUPS, LABELS, all_examples, toy_task
from xlt_bench.adapters.folder import open_adapter
from xlt_bench.adapters.plain_peft import PeftModelPredictor
from xlt_bench.adapters.tensors import read_tensors
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

TEXTS = [example.text for example in all_examples()]


@pytest.fixture
def checkpoint(tiny_backbone_folder: Path, tmp_path: Path) -> Path:
    """An XPE toolkit checkpoint."""
    return write_checkpoint(reference(tiny_backbone_folder, 1.0), tmp_path / "my-xpe", 1.0)


def only(store: Path | str = "xlt-results") -> Record:
    (record,) = Store(Path(store)).records()[0]
    return record


def accuracy(logits: np.ndarray[Any, Any], code: str, order: tuple[str, ...] = LABELS) -> float:
    """Of logits in the order of `all_examples`."""
    part = toy_task().split(code, "test")
    rows = [at for at, example in enumerate(all_examples()) if example.language == code]
    predicted = [order[at] for at in logits[rows].argmax(1)]
    return float(np.mean([name == LABELS[gold] for name, gold in zip(predicted, part.gold, strict=True)]))


def test_an_xpe_checkpoint_becomes_a_record(command: Command, checkpoint: Path, tiny_backbone_folder: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--sources", "joshi5", "--device", "cpu")
    assert said.code == 0, said.err
    record = only()
    expected = reference(tiny_backbone_folder, 1.0).logits(TEXTS)
    assert record.cell.targets == CODES[4:]
    assert record.accuracy == {code: accuracy(expected, code) for code in CODES[4:]}
    assert record.cell.sources == CODES[:3]
    assert record.setting == "", "with known sources it stands among the zero-shot runs"
    assert "my-xpe (adapter)" in said.out
    assert "Cross-lingual zero-shot" in said.out
    assert "Its sources are those told with --sources" in " ".join(said.out.split())
    assert record.fit["trainable_parameters"] == sum(t.numel() for t in load_file(checkpoint / WEIGHTS).values())


def test_with_unknown_sources_nothing_is_called_zero_shot(command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--device", "cpu")
    assert said.code == 0, said.err
    record = only()
    assert record.cell.targets == CODES, "all groups, and all languages"
    assert set(record.groups) == {"unseen", "all"}
    assert record.setting.startswith("existing adapter, sources unknown, backbone ")
    assert record.cell.backbone_hash[:8] in record.setting, "adapters on other backbones are never ranked together"
    assert "Existing adapter, sources unknown" in said.out
    assert "zero-shot" not in said.out.lower()
    assert "its sources are not known" in said.err
    board = command("leaderboard", "--task", "toy")
    assert "my-xpe (adapter)" in board.out


def test_it_stands_beside_runs_on_the_board(command: Command, checkpoint: Path) -> None:
    run = ("run", "-m", "spt", "--task", "toy", "--sources", "joshi5", "--seeds", 1, "--steps", 2, "--device", "cpu")
    assert command(*run).code == 0
    command("evaluate", checkpoint, "--task", "toy", "--sources", "joshi5", "--device", "cpu", "--name", "theirs")
    board = command("leaderboard", "--format", "json")
    sections = json.loads(board.out)["boards"][0]["sections"] if "boards" in json.loads(board.out) else None
    found = sections if sections is not None else json.loads(board.out)["sections"]
    (section,) = [one for one in found if any(row["label"] == "theirs" for row in one["rows"])]
    assert len(section["rows"]) == 2


def test_what_is_in_the_store_is_not_scored_again(command: Command, checkpoint: Path) -> None:
    call = ("evaluate", checkpoint, "--task", "toy", "--device", "cpu")
    command(*call)
    first = only()
    said = command(*call)
    assert "already in the store" in said.err
    assert only() == first
    assert "already in the store" in command(*call, "--name", "theirs").err
    assert only() == first, "a name needs no new predictions"
    assert only().row_label == "theirs"
    assert "already in the store" not in command(*call, "--rerun").err
    shutil.copytree(checkpoint, "elsewhere")
    assert "already in the store" in command("evaluate", "elsewhere", *call[2:]).err, "the content counts, not the path"


def test_other_weights_are_another_record(command: Command, checkpoint: Path) -> None:
    call = ("evaluate", checkpoint, "--task", "toy", "--device", "cpu")
    command(*call)
    tensors = load_file(checkpoint / WEIGHTS)
    tensors["base_model.classifier.out_proj.bias"] += 1.0
    save_file(tensors, checkpoint / WEIGHTS)
    command(*call)
    assert len(Store(Path("xlt-results")).records()[0]) == 2


def test_json_has_the_record_and_nothing_else_on_standard_output(command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--device", "cpu", "--json")
    assert json.loads(said.out)["records"][0]["fingerprint"] == only().cell.fingerprint


# the order of classes


def test_labels_put_the_adapters_classes_in_the_tasks_order(
    command: Command, checkpoint: Path, tiny_backbone_folder: Path
) -> None:
    order = (LABELS[2], LABELS[0], LABELS[1])
    said = command("evaluate", checkpoint, "--task", "toy", "--device", "cpu", "--labels", ",".join(order))
    assert said.code == 0, said.err
    logits = reference(tiny_backbone_folder, 1.0).logits(TEXTS)
    expected = {code: accuracy(logits, code, order) for code in CODES}
    assert only().accuracy == expected
    assert expected != {code: accuracy(logits, code) for code in CODES}, "or the order would go untested"


def test_without_labels_the_order_is_said_to_be_assumed(command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--device", "cpu")
    assert "taken in the task's order, animal, colour, food" in said.err
    assert "their order was taken to be the task's" in only().caveats[0]


def test_a_config_beside_the_adapter_tells_the_order(command: Command, checkpoint: Path) -> None:
    names = {"0": LABELS[1], "1": LABELS[0], "2": LABELS[2]}
    (checkpoint / "config.json").write_text(json.dumps({"id2label": names}))
    said = command("evaluate", checkpoint, "--task", "toy", "--device", "cpu")
    assert "colour, animal, food (its config.json)" in said.err
    assert only().cell.hyperparameters["labels"] == ["colour", "animal", "food"]
    (checkpoint / "config.json").write_text(json.dumps({"id2label": {str(at): f"LABEL_{at}" for at in range(3)}}))
    assert "taken in the task's order" in command("evaluate", checkpoint, "--task", "toy", "--device", "cpu").err


@pytest.mark.parametrize("labels", ["animal,colour", "animal,colour,fod", "animal,animal,colour", "animal;colour;food"])
def test_wrong_labels_are_refused(labels: str, command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--labels", labels)
    assert said.code == 2
    assert "give each of these once" in said.err


def test_another_number_of_classes_is_refused(command: Command, checkpoint: Path) -> None:
    tensors = load_file(checkpoint / WEIGHTS)
    for name in ("base_model.classifier.out_proj.weight", "base_model.classifier.out_proj.bias"):
        tensors[name] = torch.cat([tensors[name], tensors[name][:1]])
    save_file(tensors, checkpoint / WEIGHTS)
    said = command("evaluate", checkpoint, "--task", "toy")
    assert said.code == 2
    assert "has 4 classes, the task has 3 (animal,colour,food)" in said.err


# adapters of plain peft


def save_peft(backbone: Path, folder: Path, config: object) -> np.ndarray[Any, Any]:
    """An adapter with random weights as peft saves it, and the logits of peft for it."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(5)
        base = AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=3)
        model = get_peft_model(base, config)  # type: ignore[arg-type]
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data += 0.3 * torch.randn(parameter.shape)
        model.save_pretrained(folder)
        base = AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=3)
        loaded = PeftModel.from_pretrained(base, folder).eval()
        encoded = AutoTokenizer.from_pretrained(backbone)(
            TEXTS, padding=True, return_tensors="pt", return_token_type_ids=False
        )
        with torch.no_grad():
            logits: np.ndarray[Any, Any] = loaded(**encoded).logits.numpy()
    return logits


@pytest.mark.parametrize(
    "config",
    [
        PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=4),
        PromptEncoderConfig(task_type="SEQ_CLS", num_virtual_tokens=4, encoder_hidden_size=8),
        LoraConfig(task_type="SEQ_CLS", target_modules=["query", "value"], r=2),
        PrefixTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=4),
    ],
    ids=lambda config: config.peft_type.value,
)
def test_adapters_of_plain_peft_give_the_same_logits(
    config: object, command: Command, tiny_backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlt_bench.adapters.method import Scorer

    expected = save_peft(tiny_backbone_folder, tmp_path / "theirs", config)
    assert expected.std(0).min() > 1e-3
    found = []
    predict = Scorer.predict

    def kept(self: Scorer, examples: Any) -> Any:
        found.append(predict(self, examples))
        return found[-1]

    monkeypatch.setattr(Scorer, "predict", kept)
    said = command("evaluate", "theirs", "--task", "toy", "--device", "cpu")
    assert said.code == 0, said.err
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=0, atol=1e-5)
    assert only().accuracy == {code: accuracy(expected, code) for code in CODES}


def test_our_own_export_comes_in_again_with_the_same_accuracy(
    command: Command, trained: Store, fingerprints: dict[str, str]
) -> None:
    record = trained.find(fingerprints["dual"])
    command("export", fingerprints["dual"], "--to", "out", "--store", trained.folder)
    said = command("evaluate", "out", "--task", "toy", "--sources", "joshi5", "--targets", "unseen", "--device", "cpu")
    assert said.code == 0, said.err
    assert "(its config.json)" in said.err
    assert only().accuracy == {code: record.accuracy[code] for code in GROUPS["unseen"] if code in record.accuracy}


def test_an_adapter_that_fits_only_in_part_is_refused(
    command: Command, tiny_backbone_folder: Path, tmp_path: Path
) -> None:
    lora = LoraConfig(task_type="SEQ_CLS", target_modules=["query", "value"], r=2)
    save_peft(tiny_backbone_folder, tmp_path / "theirs", lora)
    tensors = load_file(tmp_path / "theirs" / WEIGHTS)
    some = {name: tensor for name, tensor in tensors.items() if "layer.1" not in name}
    save_file(some, tmp_path / "theirs" / WEIGHTS)
    said = command("evaluate", "theirs", "--task", "toy", "--device", "cpu")
    assert said.code == 2
    assert "does not fill" in said.err
    head = {name: tensor for name, tensor in tensors.items() if "classifier" not in name}
    save_file(head, tmp_path / "theirs" / WEIGHTS)
    said = command("evaluate", "theirs", "--task", "toy", "--device", "cpu")
    assert "has no classification head" in said.err


def test_without_peft_the_command_that_installs_it_is_told(
    command: Command, tiny_backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlt_bench.adapters import plain_peft

    save_peft(tiny_backbone_folder, tmp_path / "theirs", LoraConfig(task_type="SEQ_CLS", target_modules=["query"]))
    monkeypatch.setattr(plain_peft, "find_spec", lambda name: None)
    said = command("evaluate", "theirs", "--task", "toy")
    assert said.code == 2
    assert "pip install peft" in said.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"peft_type": "XLORA"}, "loads further adapters"),
        ({"peft_type": "MULTITASK_PROMPT_TUNING"}, "which of its tasks"),
        ({"megatron_config": {"a": 1}}, "its megatron_config leads to other files"),
        ({"task_type": "CAUSAL_LM"}, "is of task type CAUSAL_LM"),
    ],
)
def test_what_leads_elsewhere_is_not_loaded(
    change: dict[str, object], told: str, command: Command, tiny_backbone_folder: Path, tmp_path: Path
) -> None:
    save_peft(tiny_backbone_folder, tmp_path / "theirs", LoraConfig(task_type="SEQ_CLS", target_modules=["query"]))
    write_config(tmp_path / "theirs", {**config_of(tmp_path / "theirs"), **change})
    said = command("evaluate", "theirs", "--task", "toy", "--device", "cpu")
    assert said.code == 2
    assert told in said.err


# the backbone


def test_another_backbone_is_one_clear_line(command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--backbone", "nano", "--device", "cpu")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "vectors 32 wide, backbone 'nano' is 128 wide" in said.err


def test_a_hub_id_that_differs_from_the_adapters_is_refused(command: Command, checkpoint: Path) -> None:
    write_config(checkpoint, {**config_of(checkpoint), "base_model_name_or_path": "xlm-roberta-large"})
    said = command("evaluate", checkpoint, "--task", "toy", "--backbone", "nano")
    assert said.code == 2
    assert "belongs to backbone 'FacebookAI/xlm-roberta-large', not to 'nano'" in said.err


def test_a_local_copy_of_the_named_backbone_is_taken_and_noted(
    command: Command, checkpoint: Path, tiny_backbone_folder: Path
) -> None:
    write_config(checkpoint, {**config_of(checkpoint), "base_model_name_or_path": "xlm-roberta-large"})
    said = command("evaluate", checkpoint, "--task", "toy", "--backbone", tiny_backbone_folder, "--device", "cpu")
    assert said.code == 0, said.err
    assert "the adapter names the backbone xlm-roberta-large; scored on" in said.err


@pytest.mark.parametrize(
    ("named", "told"), [(None, "does not say which backbone"), ("/home/somebody/xlmr", "a folder that is not here")]
)
def test_a_backbone_that_cannot_be_told_is_asked_for(
    named: str | None, told: str, command: Command, checkpoint: Path
) -> None:
    write_config(checkpoint, {**config_of(checkpoint), "base_model_name_or_path": named})
    said = command("evaluate", checkpoint, "--task", "toy")
    assert said.code == 2
    assert told in said.err
    assert "--backbone" in said.err


def save_bert(tokenizer: Path, folder: Path) -> None:
    """A backbone whose classifier in transformers is another one: a pooler and one layer."""
    config = BertConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)


def test_a_backbone_with_another_head_needs_plain_peft(
    command: Command, checkpoint: Path, tiny_backbone_folder: Path, tmp_path: Path
) -> None:
    save_bert(tiny_backbone_folder, tmp_path / "bert")
    said = command("evaluate", checkpoint, "--task", "toy", "--backbone", "bert", "--device", "cpu")
    assert said.code == 2
    assert "on a backbone of type bert" in said.err
    tuned = PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=4)
    expected = save_peft(tmp_path / "bert", tmp_path / "theirs", tuned)
    assert command("evaluate", "theirs", "--task", "toy", "--backbone", "bert", "--device", "cpu").code == 0
    assert only().accuracy == {code: accuracy(expected, code) for code in CODES}


# finding the adapter


def test_pickled_weights_are_refused(command: Command, checkpoint: Path) -> None:
    (checkpoint / WEIGHTS).rename(checkpoint / "adapter_model.bin")
    said = command("evaluate", checkpoint, "--task", "toy")
    assert said.code == 2
    assert "pickled" in said.err
    assert "save_pretrained(DIR), which writes safetensors" in said.err


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("no-such-folder", "neither a local folder nor a hub id"),
        ("my-xpe/adapter_config.json", "is a file; give the folder"),
        (".", "has no adapter_config.json; give one of its folders that are: my-xpe"),
        ("empty", "has no adapter_config.json; give a folder saved by save_pretrained of peft"),
    ],
)
def test_what_is_no_adapter_is_told(reference: str, told: str, command: Command, checkpoint: Path) -> None:
    Path("empty").mkdir()
    said = command("evaluate", reference, "--task", "toy")
    assert said.code == 2
    assert told in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("content", "told"), [("{", "is no JSON"), ("[]", "no JSON object"), ("{}", "no peft_type")])
def test_a_broken_config_is_told(content: str, told: str, command: Command, checkpoint: Path) -> None:
    (checkpoint / "adapter_config.json").write_text(content)
    said = command("evaluate", checkpoint, "--task", "toy")
    assert said.code == 2
    assert told in said.err


def test_weights_that_were_cut_off_are_told(command: Command, checkpoint: Path) -> None:
    (checkpoint / WEIGHTS).write_bytes((checkpoint / WEIGHTS).read_bytes()[:200])
    said = command("evaluate", checkpoint, "--task", "toy")
    assert said.code == 2
    assert "no whole safetensors file" in said.err


def test_a_hub_id_is_one_snapshot_of_plain_files(
    command: Command, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlt_bench.adapters import folder

    asked = []

    def snapshot(repository: str, patterns: tuple[str, ...], revision: str | None = None) -> Path:
        asked.append((repository, patterns, revision))
        return checkpoint

    monkeypatch.setattr(folder, "snapshot", snapshot)
    said = command("evaluate", "somebody/their-xpe@v1", "--task", "toy", "--device", "cpu")
    assert said.code == 0, said.err
    assert asked == [("somebody/their-xpe", ("adapter_config.json", "adapter_model.safetensors", "config.json"), "v1")]
    assert only().row_label == "somebody/their-xpe@v1 (adapter)"


def test_a_hub_out_of_reach_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlt_bench.adapters import folder

    def unreachable(*arguments: object) -> Path:
        raise OSError("no network")

    monkeypatch.setattr(folder, "snapshot", unreachable)
    said = command("evaluate", "somebody/their-xpe", "--task", "toy")
    assert said.code == 2
    assert "could not be fetched from the hub (OSError: no network)" in said.err


def test_sources_that_cover_all_targets_are_refused(command: Command, checkpoint: Path) -> None:
    said = command("evaluate", checkpoint, "--task", "toy", "--sources", "joshi5", "--targets", "joshi5")
    assert said.code == 2
    assert "lies entirely within the sources" in said.err


def test_pairs_go_to_peft_with_the_segment_ids_of_the_tokenizer(tmp_path: Path) -> None:
    backbone = tiny_model(tmp_path / "bert", "bert")
    BertModel.from_pretrained(backbone).save_pretrained(backbone)  # with the pooler that its classifier needs
    lora = LoraConfig(task_type="SEQ_CLS", target_modules=["query", "value"], init_lora_weights=False)
    save_peft(backbone, tmp_path / "theirs", lora)
    adapter = open_adapter(str(tmp_path / "theirs"))
    predictor = PeftModelPredictor(
        adapter, read_tensors(adapter.weights, adapter.name), Backbone(locate(str(backbone))), limit=32
    )
    pairs = [example._replace(text_pair=f"city {example.text}") for example in all_examples()]
    encoded = AutoTokenizer.from_pretrained(backbone)(
        [pair.text for pair in pairs],
        [pair.text_pair for pair in pairs],
        padding=True,
        return_tensors="pt",
        return_token_type_ids=True,
    )
    base = AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=3)
    loaded = PeftModel.from_pretrained(base, tmp_path / "theirs").eval()
    with torch.no_grad():
        expected = loaded(**encoded).logits
        without = loaded(**{**encoded, "token_type_ids": torch.zeros_like(encoded["token_type_ids"])}).logits
    np.testing.assert_allclose(predictor.predict(pairs), expected.numpy(), rtol=0, atol=1e-5)
    assert (without - expected).abs().max() > 1e-3, "segments would go untested"
