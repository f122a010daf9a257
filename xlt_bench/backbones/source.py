"""Where a backbone lies, what identifies it and what kind of model it is. Imports no torch."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xlt_bench.backbones.architectures import Architecture, architecture_of
from xlt_bench.backbones.folder import FILES, WEIGHTS, check_files, first_line, hash_of, read_config
from xlt_bench.backbones.packaged import PACKAGED
from xlt_bench.backbones.tokenizer import check_tokenizer, load_tokenizer
from xlt_bench.errors import BackboneError, ConfigError
from xlt_bench.io.hub import snapshot
from xlt_bench.io.memory import give_back_freed_memory
from xlt_bench.io.paths import is_folder
from xlt_bench.io.texts import shortened

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Precision = Literal["fp32", "bf16"]
"""Of the forward pass; parameters that are trained stay float32."""

NANO = "nano"
NO_BACKBONE = "none"
REVISIONS = {"FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389"}
"""Hub revisions that are pinned; any other hub id is read at its main branch, and its hash tells what it was."""

_LARGE_VOCABULARY = 100_000
"""Pieces above which a tokenizer takes a notable part of a run's memory: 0.3 GB of 250,000 pieces."""

BARE_NAMES = {f"xlm-roberta-{size}": f"FacebookAI/xlm-roberta-{size}" for size in ("base", "large")}
"""Names without an owner, as the hub once had them, and the ids that they stand for."""


@dataclass(frozen=True)
class BackboneSource:
    """A backbone's name as the user gave it, its folder, the hash of the files that are read from it, its kind."""

    name: str
    folder: Path
    fingerprint: str
    architecture: Architecture

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer as transformers loads it, once for all that ask: 250,000 pieces take seconds and 0.4 GB.

        Raises:
            BackboneError: it cannot be loaded.
        """
        return load_tokenizer(self.name, self.folder)

    def release_tokenizer(self) -> None:
        """Give a large tokenizer's memory back until somebody asks for it again; a small one stays."""
        tokenizer = vars(self).get("tokenizer")
        if tokenizer is not None and len(tokenizer) > _LARGE_VOCABULARY:
            del vars(self)["tokenizer"], tokenizer
            give_back_freed_memory()


def check_name(name: str) -> None:
    """Refuse what can be no backbone, before anything is loaded.

    Raises:
        BackboneError: neither `nano`, nor a packaged one that is at hand, nor a local folder, nor of the form
            owner/name.
    """
    if name == NANO or is_folder(name):
        return
    if name in PACKAGED:
        if not is_folder(str(PACKAGED[name].folder)):
            raise BackboneError(f"backbone '{name}' is not on this machine yet; get it: xlt-bench backbone get {name}")
        return
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name) is None:
        names = (NANO, *PACKAGED, *BARE_NAMES)
        close = difflib.get_close_matches(name.rpartition("/")[2], names, n=1, cutoff=0.7)
        hint = f"; did you mean '{BARE_NAMES.get(close[0], close[0])}'?" if close else ""
        if name.endswith(".gguf"):
            hint = "; a GGUF file becomes a folder by: xlt-bench backbone convert FILE --to FOLDER"
        raise BackboneError(
            f"no backbone '{shortened(name)}': no name of `xlt-bench backbone ls`, no local folder, no hub id such as "
            f"owner/name{hint}"
        )


def is_on_this_machine(name: str) -> bool:
    """Whether the files of a backbone are looked for on this machine alone, and not on the hub."""
    return name == NANO or is_folder(name) or name in PACKAGED


def locate(name: str) -> BackboneSource:
    """Find a backbone: `nano` (shipped), a local folder, a packaged one, or a hub id; and look into its files.

    Raises:
        BackboneError: no such folder, a folder without readable config, tokenizer or safetensors weights, a type of
            model that is not served, a tokenizer that does not fit the model, hub out of reach.
    """
    check_name(name)
    if name == NANO:
        with as_file(files("xlt_bench.backbones") / NANO) as folder:
            return _checked(name, folder)
    folder = Path(name) if is_folder(name) else PACKAGED[name].folder if name in PACKAGED else _download(name)
    source = _checked(name, folder)
    _check_packaged(source)
    return source


def _check_packaged(source: BackboneSource) -> None:
    """A folder that bears the name of a packaged backbone must be it: its name says which languages it saw."""
    packaged = PACKAGED.get(source.folder.resolve().name)
    if packaged is not None and source.fingerprint != packaged.fingerprint:
        raise BackboneError(
            f"backbone '{shortened(source.name)}': {source.folder} has hash {source.fingerprint}, but "
            f"{packaged.name} has {packaged.fingerprint}; make it again: xlt-bench backbone get {packaged.name}; or, "
            "if it is another model, give its folder another name"
        )


def _download(hub_id: str) -> Path:
    try:
        return snapshot(hub_id, (*FILES, *WEIGHTS), REVISIONS.get(hub_id))
    except Exception as error:  # the hub client raises many unrelated classes: offline, timeout, 404, gated
        raise BackboneError(
            f"backbone '{hub_id}' could not be fetched from the hub ({type(error).__name__}: {first_line(error)}); "
            "offline, give a local folder with its files: --backbone FOLDER, or use --backbone nano"
        ) from error


def _checked(name: str, folder: Path) -> BackboneSource:
    files = check_files(name, folder)
    try:
        architecture = architecture_of(read_config(name, folder))
    except ConfigError as error:
        raise BackboneError(f"backbone '{name}': {error}") from error
    source = BackboneSource(name, folder, hash_of(files), architecture)
    check_tokenizer(name, source.tokenizer, architecture.embedding_rows)
    return source
