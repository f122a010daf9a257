"""An adapter as it lies on disk or on the hub: `adapter_config.json` and `adapter_model.safetensors`. No torch here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt_bench.errors import ConfigError
from xlt_bench.io.file_hashes import sha256_of
from xlt_bench.io.hub import snapshot
from xlt_bench.io.json_files import read_object
from xlt_bench.io.paths import in_home, is_file, is_folder
from xlt_bench.io.texts import shortened

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLED = "adapter_model.bin"
MODEL_CONFIG = "config.json"
TASK_TYPE = "SEQ_CLS"

_HUB_ID = re.compile(r"(?P<id>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class AdapterFolder:
    """An adapter's files.

    Attributes:
        name: as the user gave it.
        config: the content of `adapter_config.json`.
        fingerprint: hash of configuration and weights, 16 hex digits.
    """

    name: str
    folder: Path
    config: Mapping[str, Any]
    fingerprint: str

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / WEIGHTS

    @property
    def kind(self) -> str:
        """`peft_type`, such as LORA."""
        return str(self.config["peft_type"])

    @property
    def short_name(self) -> str:
        """For a table: the folder's own name, or the hub id."""
        return self.folder.resolve().name if is_folder(in_home(self.name)) else self.name

    @property
    def base_model(self) -> str | None:
        """The backbone that its configuration names."""
        named = self.config.get("base_model_name_or_path")
        return named if isinstance(named, str) and named else None

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Class names in the adapter's order, where a `config.json` beside it tells them."""
        path = self.folder / MODEL_CONFIG
        if not is_file(path):
            return None
        by_index = _json(self.name, path).get("id2label")
        if not isinstance(by_index, dict) or sorted(by_index) != sorted(map(str, range(len(by_index)))):
            return None
        labels = tuple(str(by_index[str(index)]) for index in range(len(by_index)))
        return None if labels == tuple(f"LABEL_{index}" for index in range(len(labels))) else labels


def open_adapter(reference: str) -> AdapterFolder:
    """Find an adapter and look into its files.

    Args:
        reference: a local folder, or a hub id, also with a revision: `owner/name@revision`.

    Raises:
        ConfigError: nothing is there, it is no adapter for classification, or its weights are pickled.
    """
    folder = _locate(reference)
    if not is_file(folder / CONFIG):
        raise ConfigError(_no_adapter(reference, folder))
    config = _json(reference, folder / CONFIG)
    if not isinstance(config.get("peft_type"), str):
        raise ConfigError(f"adapter '{reference}': {folder / CONFIG} names no peft_type; save it again with peft")
    if config.get("task_type") not in (None, TASK_TYPE):
        raise ConfigError(
            f"adapter '{reference}' is of task type {config['task_type']}; only {TASK_TYPE} (classification) is scored"
        )
    _check_weights(reference, folder)
    return AdapterFolder(reference, folder, config, hash_of(folder / CONFIG, folder / WEIGHTS))


def hash_of(*paths: Path) -> str:
    """Hash of files' contents: 16 hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(sha256_of(path))
    return digest.hexdigest()[:16]


def _locate(reference: str) -> Path:
    path = in_home(reference)
    if is_folder(path):
        return path
    if is_file(path):
        raise ConfigError(f"adapter '{reference}' is a file; give the folder with {CONFIG} and {WEIGHTS}")
    hub = _HUB_ID.fullmatch(reference)
    if hub is None:
        raise ConfigError(
            f"no adapter '{shortened(reference)}': neither a local folder nor a hub id such as owner/name"
        )
    try:
        return snapshot(hub["id"], (CONFIG, WEIGHTS, MODEL_CONFIG), hub["revision"])
    except Exception as error:  # the hub client raises many unrelated classes: offline, timeout, 404, gated
        raise ConfigError(
            f"adapter '{reference}' is no local folder and could not be fetched from the hub "
            f"({type(error).__name__}: {first_line(error)}); offline, give a local folder with its files"
        ) from error


def _no_adapter(reference: str, folder: Path) -> str:
    inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    hint = f"; give one of its folders that are: {', '.join(inside[:4])}" if inside else ""
    return f"adapter '{reference}' has no {CONFIG}{hint or '; give a folder saved by save_pretrained of peft'}"


def _check_weights(reference: str, folder: Path) -> None:
    if is_file(folder / WEIGHTS):
        return
    if is_file(folder / PICKLED):
        raise ConfigError(
            f"adapter '{reference}' has pickled weights ({PICKLED}), which are not loaded, for unpickling can run any "
            "code; where you trust it, load it with peft and call save_pretrained(DIR), which writes safetensors"
        )
    raise ConfigError(f"adapter '{reference}' has no {WEIGHTS} (pickled weights, {PICKLED}, are not loaded)")


def _json(reference: str, path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except ConfigError as error:
        raise ConfigError(f"adapter '{reference}': {error}") from error


def first_line(error: Exception) -> str:
    """The beginning of an error's message."""
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__
