"""A trained soft prompt of the store, written as a standard prompt-tuning adapter of Hugging Face PEFT.

Plain `peft` and `transformers` load it; none of our code is needed, and peft is not needed to write it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from xlt_bench.adapters.base_model import BackboneFacts, facts_of
from xlt_bench.adapters.card import BACKBONE_FOLDER, Card
from xlt_bench.adapters.folder import CONFIG, MODEL_CONFIG, TASK_TYPE, WEIGHTS, first_line
from xlt_bench.adapters.scores import GroupScore, scores_of
from xlt_bench.adapters.stored import TrainedPrompt, find_record, trained_prompt
from xlt_bench.backbones.architectures import EXPORTABLE
from xlt_bench.backbones.source import NANO, REVISIONS, BackboneSource, locate
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.io.atomic import move_in, temporary
from xlt_bench.io.outputs import unwritable
from xlt_bench.io.paths import in_home, is_folder, is_there
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

CARD = "README.md"
SCORES = "scores.json"
_WEIGHT_FILES = "model*.safetensors*"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Export:
    """What is asked for, as the options of `xlt-bench export`.

    Attributes:
        record: a fingerprint or its first digits.
        folder: where the adapter goes.
        backbone: where the backbone lies now; None: where the run found it.
        base_model: how the adapter names its backbone, such as a hub id; None: as the run named it.
        licence: for the card's metadata, an identifier of the hub; None: that of the training data, where it is known.
        overwrite: also into a folder that is not empty.
    """

    record: str
    folder: Path
    store: Path
    backbone: str | None = None
    base_model: str | None = None
    licence: str | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        notes: what the user should know.
    """

    record: Record
    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]


def export(request: Export) -> Exported:
    """Write a Record's prompt and head as an adapter, whole or not at all.

    Raises:
        XltBenchError: no such Record, nothing in it that is a soft prompt, a backbone whose classifier in transformers
            has another head or takes a text's language into account, or a folder that is not empty.
    """
    folder = Path(os.path.realpath(in_home(request.folder)))
    _check_target(folder, request.overwrite)
    store = Store(request.store)
    record = find_record(store, request.record)
    trained = trained_prompt(store, record, "exported")
    source = _backbone(record, request.backbone)
    facts = facts_of(source)
    base_model = request.base_model or _own_name(source)
    card = Card(
        record=record,
        labels=trained.labels,
        vectors=len(trained.prompt),
        base_model=base_model,
        copied=base_model == NANO,
        text_limit=source.architecture.text_limit(int((record.cell.recipe or {})["max_length"]), len(trained.prompt)),
        scores=scores_of(store, record),
        licence=request.licence,
    )
    try:
        with temporary(folder.parent) as draft:
            _write(draft, trained, source, facts, card)
            files = tuple(sorted(str(path.relative_to(draft)) for path in draft.rglob("*") if path.is_file()))
            _place(draft, folder)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{folder} cannot be written: {first_line(error)}; give another --to DIR") from error
    return Exported(record, folder, files, tuple(_notes(base_model, source)))


def _check_target(folder: Path, overwrite: bool) -> None:
    if is_there(folder) and not is_folder(folder):
        raise ConfigError(f"--to {folder} is a file; give a folder that is new or empty")
    try:
        occupied = is_folder(folder) and any(folder.iterdir())
    except OSError as error:
        raise unwritable(folder, "--to", error) from error
    if occupied and not overwrite:
        raise ConfigError(f"--to {folder} is not empty; give another folder, or --overwrite to replace files in it")


def _backbone(record: Record, requested: str | None) -> BackboneSource:
    """The backbone of a run, which must be the very one and one that transformers gives the same head."""
    source = locate(requested or record.cell.backbone)
    if source.fingerprint != record.cell.backbone_hash:
        raise BackboneError(
            f"backbone '{source.name}' is not the one of Record {record.cell.fingerprint}: its hash is "
            f"{source.fingerprint}, not {record.cell.backbone_hash}; give the run's with --backbone"
        )
    facts = facts_of(source)
    if facts.kind not in EXPORTABLE:
        why = (
            "sends each text through the modules of its language, which plain peft would not"
            if facts.has_our_head
            else "has another head than the trained one, so plain peft could not load it"
        )
        raise ConfigError(
            f"backbone '{source.name}' is of type {facts.kind}, whose classifier in transformers {why}; "
            f"types that can be exported: {', '.join(EXPORTABLE)}"
        )
    recipe = record.cell.recipe or {}
    if recipe.get("read_out", "first") != "first" or recipe.get("text_prefix"):
        raise ConfigError(
            f"Record {record.cell.fingerprint} reads '{recipe.get('read_out')}' of texts with the prefix "
            f"'{recipe.get('text_prefix')}'; plain peft reads position 0 of texts as they are, so it would score "
            "otherwise; export a run without --read-out and --text-prefix"
        )
    return source


def _own_name(source: BackboneSource) -> str:
    """Nano and hub ids as they are; a folder by its full path."""
    return str(source.folder.resolve()) if source.name != NANO and is_folder(source.name) else source.name


def _write(draft: Path, trained: TrainedPrompt, source: BackboneSource, facts: BackboneFacts, card: Card) -> None:
    config = _with_labels(source, trained.labels)
    _json(draft / CONFIG, _adapter_config(trained, facts, card.base_model))
    _json(draft / MODEL_CONFIG, config)
    _json(draft / SCORES, _scores(card.record, card.scores))
    tensors = {f"base_model.classifier.{name}": tensor.contiguous() for name, tensor in trained.head.items()}
    save_file({"prompt_embeddings": trained.prompt.contiguous(), **tensors}, draft / WEIGHTS, {"format": "pt"})
    (draft / CARD).write_text(card.text(), encoding="utf-8")
    if card.copied:
        _copy_backbone(source, config, draft / BACKBONE_FOLDER)


def _adapter_config(trained: TrainedPrompt, facts: BackboneFacts, base_model: str) -> dict[str, Any]:
    """As `PromptTuningConfig.save_pretrained` writes it; what it leaves out has peft's defaults."""
    vectors, width = trained.prompt.shape
    return {
        "base_model_name_or_path": base_model,
        "inference_mode": True,
        "modules_to_save": ["classifier"],
        "num_attention_heads": facts.heads,
        "num_layers": facts.layers,
        "num_transformer_submodules": 1,
        "num_virtual_tokens": vectors,
        "peft_type": "PROMPT_TUNING",
        "prompt_tuning_init": "RANDOM",
        "revision": REVISIONS.get(base_model),
        "task_type": TASK_TYPE,
        "token_dim": width,
    }


def _with_labels(source: BackboneSource, labels: tuple[str, ...]) -> dict[str, Any]:
    """The backbone's configuration as that of a classifier, which names its classes and computes in float32."""
    config: dict[str, Any] = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
    config.pop("architectures", None)
    config.pop("torch_dtype", None)  # the older name of dtype
    return {
        **config,
        "dtype": "float32",
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    }


def _scores(record: Record, scores: Sequence[GroupScore]) -> dict[str, Any]:
    """Accuracies in [0, 1], by group and by language."""
    return {
        "task": record.cell.task,
        "task_hash": record.cell.task_hash,
        "record": record.cell.fingerprint,
        "groups": {score.group: {"accuracy": score.accuracy, "languages": score.languages} for score in scores},
        "accuracy": dict(record.accuracy),
    }


def _copy_backbone(source: BackboneSource, config: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir()
    names = [*_TOKENIZER_FILES, CARD, *(path.name for path in sorted(source.folder.glob(_WEIGHT_FILES)))]
    for name in names:
        shutil.copyfile(source.folder / name, folder / name)
    _json(folder / MODEL_CONFIG, config)


def _place(draft: Path, folder: Path) -> None:
    """Move into place; in a folder that is not empty, file by file: what else lies there stays."""
    if not folder.is_dir() or not any(folder.iterdir()):
        move_in(draft, folder)
        return
    for path in sorted(path for path in draft.rglob("*") if path.is_file()):
        target = folder / path.relative_to(draft)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)


def _notes(base_model: str, source: BackboneSource) -> list[str]:
    if base_model == NANO:
        return [f"nano is on no hub: a copy of it lies in {BACKBONE_FOLDER}/"]
    if base_model == str(source.folder.resolve()):
        return [
            f"the adapter names its backbone by a folder of this machine, {base_model}; to share it, export again with "
            "--base-model and the backbone's hub id"
        ]
    return []


def _json(path: Path, plain: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
