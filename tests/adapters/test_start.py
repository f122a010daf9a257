"""`--init-from`: training starts from an adapter's or a Record's weights, which are part of the run's identity."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.support.checkpoints import WEIGHTS, config_of, reference, write_checkpoint, write_config
from tests.support.commands import Command, Output
from tests.support.toy import LABELS
from xlt_bench.adapters.start import open_start
from xlt_bench.adapters.started import place
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.method import Context
from xlt_bench.plugins.methods import configure
from xlt_bench.recipe import PRESETS
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.training.soft_prompt import SoftPrompt

SIZES = ("--set", "n_tokens=5")
ENCODED = (*SIZES, "--set", "hidden=16")


def start(command: Command, method: str, reference: object, *more: object) -> Output:
    """Run two steps from a start."""
    return command(
        "run", "-m", method, "--task", "toy", "--sources", "joshi5", "--seeds", 1, "--steps", 2, "--device", "cpu",
        "--init-from", reference, *more,
    )  # fmt: skip


def records(store: Path | str = "xlt-results") -> list[Record]:
    return Store(Path(store)).records()[0]


def prompt_at_start(named: str, method: str, settings: dict[str, str], backbone: Backbone, store: Path) -> Tensor:
    """The prompt that a method gives before its first step."""
    made = configure(method, settings)
    found = open_start(named, Store(store), labels=LABELS, method=made.name, backbone=backbone.source)
    context = Context(LABELS, 7, PRESETS["cldr"].recipe, load_backbone=lambda: backbone)
    assert isinstance(made.method, SoftPrompt)
    module = made.method.new_module(context).eval()
    place(found, made.method, module)
    return torch.cat([module.prompt().detach().flatten(), module.head.out_proj.weight.detach().flatten()])


@pytest.mark.parametrize(
    ("ratio", "method", "settings"),
    [
        (0.0, "spt", {"n_tokens": "5"}),
        (1.0, "xpe", {"n_tokens": "5", "hidden": "16"}),
        (0.6, "dual", {"n_tokens": "5", "hidden": "16", "encoded": "0.6"}),
    ],
)
def test_a_toolkit_checkpoint_is_what_training_starts_from(
    ratio: float, method: str, settings: dict[str, str], tiny_backbone: Backbone, tmp_path: Path
) -> None:
    made = reference(tiny_backbone.source.folder, ratio)
    folder = write_checkpoint(made, tmp_path / "theirs", ratio)
    expected = torch.cat([made.prompt().detach().flatten(), made.model.classifier.out_proj.weight.detach().flatten()])
    found = prompt_at_start(str(folder), method, settings, tiny_backbone, tmp_path)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", ["spt", "xpe", "dual"])
def test_a_records_own_weights_are_what_training_starts_from(
    method: str, trained: Store, fingerprints: dict[str, str], tiny_backbone: Backbone
) -> None:
    weights = trained.folder_of(fingerprints[method]) / "weights"
    expected = torch.cat(
        [
            load_file(weights / "cached_prompt.safetensors")["prompt"].flatten(),
            load_file(weights / "weights.safetensors")["head.out_proj.weight"].flatten(),
        ]
    )
    for named in (fingerprints[method], fingerprints[method][:8], str(trained.folder_of(fingerprints[method]))):
        found = prompt_at_start(named, method, {"n_tokens": "5"}, tiny_backbone, trained.folder)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_an_exported_adapter_starts_spt(
    command: Command, trained: Store, fingerprints: dict[str, str], tiny_backbone: Backbone, tmp_path: Path
) -> None:
    command("export", fingerprints["xpe"], "--to", "out", "--store", trained.folder)
    found = prompt_at_start(str(tmp_path / "out"), "spt", {"n_tokens": "5"}, tiny_backbone, tmp_path)
    cached = load_file(trained.folder_of(fingerprints["xpe"]) / "weights" / "cached_prompt.safetensors")["prompt"]
    torch.testing.assert_close(found[: cached.numel()], cached.flatten(), rtol=0, atol=1e-6)


def test_classes_in_another_order_are_put_in_the_tasks(
    command: Command, trained: Store, fingerprints: dict[str, str], tiny_backbone: Backbone, tmp_path: Path
) -> None:
    command("export", fingerprints["spt"], "--to", "out", "--store", trained.folder)
    named = (LABELS[2], LABELS[0], LABELS[1])
    found = open_start("out", trained, labels=named, method="spt", backbone=tiny_backbone.source)
    head = load_file(tmp_path / "out" / WEIGHTS)["base_model.classifier.out_proj.weight"]
    assert torch.equal(found.head["out_proj.weight"], head[[2, 0, 1]])


# identity


def test_the_start_is_part_of_the_identity_by_its_content(
    command: Command, tiny_backbone_folder: Path, tmp_path: Path
) -> None:
    theirs = write_checkpoint(reference(tiny_backbone_folder, 1.0), tmp_path / "theirs", 1.0)
    said = start(command, "xpe", "theirs", *ENCODED)
    assert said.code == 0, said.err
    (first,) = records()
    assert first.row_label == f"xpe (n_tokens=5, hidden=16), 2 steps, from {(first.cell.init_from or '')[:8]}"
    assert "Started from adapter theirs (XPE)" in first.caveats[0]
    assert "not known here" in first.caveats[0], "what the start has seen is not known, and that is said"
    shutil.copytree(theirs, tmp_path / "copy")
    assert start(command, "xpe", "copy", *ENCODED).code == 0
    assert len(records()) == 1, "the content counts, not the path"
    tensors = load_file(theirs / WEIGHTS)
    tensors["prompt_encoder.xpe_embedding.weight"][0, 0] += 1.0
    save_file(tensors, theirs / WEIGHTS)
    assert start(command, "xpe", "theirs", *ENCODED).code == 0
    assert len({one.cell.configuration for one in records()}) == 2
    assert start(command, "xpe", "copy", *ENCODED, "--seeds", 2).code == 0
    assert len(records()) == 3, "another seed is another run of the same configuration"


def test_without_it_fingerprints_are_as_they_were(trained: Store) -> None:
    cell = records(trained.folder)[0].cell
    assert cell.init_from is None
    assert cell.fingerprint != replace(cell, init_from="0" * 16).fingerprint
    assert "init_from" not in cell._identity()


def test_training_goes_on_from_the_start_and_is_repeatable(
    command: Command, trained: Store, fingerprints: dict[str, str]
) -> None:
    old = load_file(trained.folder_of(fingerprints["spt"]) / "weights" / "weights.safetensors")
    found = []
    for _ in range(2):
        said = start(command, "spt", trained.folder_of(fingerprints["spt"]), *SIZES, "--save-weights", "--rerun", "all")
        assert said.code == 0, said.err
        (record,) = records()
        found.append(load_file(Path("xlt-results", record.cell.fingerprint, "weights", "weights.safetensors")))
    assert "Started from Record" in record.caveats[0]
    assert "not known" not in record.caveats[0], "what a Record was trained on is known"
    distance = (found[0]["prompt.weight"] - old["prompt.weight"]).abs().max()
    assert 0.0 < distance < 0.5, "two steps from the start, not a new draw from a normal distribution"
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_several_seeds_in_one_pass_start_alike(command: Command, trained: Store, fingerprints: dict[str, str]) -> None:
    packed = start(
        command, "spt", trained.folder_of(fingerprints["spt"]), *SIZES, "--seeds", "5,6", "--pack", 2, "--save-weights"
    )
    assert packed.code == 0, packed.err
    one, two = (
        load_file(path / "weights" / "weights.safetensors")["prompt.weight"]
        for path in Path("xlt-results").iterdir()
        if len(path.name) == 16
    )
    assert 0.0 < (one - two).abs().max() < 0.5


def test_it_adapts_to_targets_too(command: Command, trained: Store, fingerprints: dict[str, str]) -> None:
    said = start(
        command, "spt", trained.folder_of(fingerprints["spt"]), *SIZES,
        "--protocol", "full", "--targets", "tha_Thai", "--target-steps", 2,
    )  # fmt: skip
    assert said.code == 0, said.err
    (record,) = records()
    assert record.complete
    assert record.cell.init_from is not None


# what does not fit


@pytest.mark.parametrize(
    ("ratio", "method", "settings", "told"),
    [
        (1.0, "spt", SIZES, "holds encoder (6 tensors), pseudo, but the method trains prompt"),
        (0.0, "xpe", ENCODED, "holds prompt, but the method trains encoder (6 tensors), pseudo"),
        (1.0, "xpe", ("--set", "hidden=16"), "its pseudo has shape (5, 32), the method's (20, 32)"),
        (1.0, "xpe", SIZES, "its encoder has shape (16, 32), the method's (256, 32)"),
        (1.0, "full-finetuning", (), "--init-from starts soft prompts"),
        (1.0, "majority", (), "majority uses no backbone"),
    ],
)
def test_a_method_that_does_not_fit_is_refused(
    ratio: float,
    method: str,
    settings: tuple[str, ...],
    told: str,
    command: Command,
    tiny_backbone_folder: Path,
    tmp_path: Path,
) -> None:
    write_checkpoint(reference(tiny_backbone_folder, ratio), tmp_path / "theirs", ratio)
    said = start(command, method, "theirs", *settings)
    assert said.code == 2
    assert told in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.glob("xlt-results/*")), "refused before anything is trained"


def test_records_of_others_are_refused(command: Command, trained: Store, fingerprints: dict[str, str]) -> None:
    store = ("--store", trained.folder)
    for method, named, told in (
        ("xpe", fingerprints["spt"], "is of spt; only that method can start from it, not xpe"),
        ("spt", fingerprints["majority"], "what can be started from is any method built on SoftPrompt"),
        ("spt", "0123456", "no Record '0123456'"),
        ("spt", "nothing", "neither a Record's fingerprint, nor a folder"),
    ):
        said = start(command, method, named, *SIZES, *store)
        assert said.code == 2
        assert told in said.err
    said = start(command, "spt", fingerprints["spt"], *SIZES, *store, "--backbone", "nano")
    assert said.code == 2
    assert "was trained on backbone" in said.err


def test_targets_whose_labels_the_start_has_seen_are_no_zero_shot(
    command: Command, trained: Store, fingerprints: dict[str, str]
) -> None:
    call = (
        "run", "-m", "spt", "--task", "toy", "--seeds", 1, "--steps", 2, "--device", "cpu", *SIZES,
        "--init-from", trained.folder_of(fingerprints["spt"]), "--sources", "kat_Geor",
    )  # fmt: skip
    said = command(*call, "--targets", "joshi5")
    assert said.code == 2
    assert "was trained on labels of deu_Latn, eng_Latn, fra_Latn, so these are no zero-shot targets" in said.err
    assert command(*call, "--targets", "unseen").code == 0


def test_an_adapter_of_another_kind_or_backbone_is_refused(
    command: Command, tiny_backbone_folder: Path, tmp_path: Path
) -> None:
    theirs = write_checkpoint(reference(tiny_backbone_folder, 1.0), tmp_path / "theirs", 1.0)
    said = start(command, "xpe", "theirs", *ENCODED, "--backbone", "nano")
    assert said.code == 2
    assert "has shape (5, 32), the method's (5, 128)" in said.err
    write_config(theirs, {**config_of(theirs), "peft_type": "LORA", "encoder_ratio": None})
    said = start(command, "xpe", "theirs", *ENCODED)
    assert said.code == 2
    assert "is an adapter of kind LORA" in said.err
