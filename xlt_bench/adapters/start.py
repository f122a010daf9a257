"""What `--init-from` starts a soft prompt from: an adapter, a checkpoint of the XPE toolkit, or a Record's weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from xlt_bench.adapters.base_model import backbone_name
from xlt_bench.adapters.folder import CONFIG, open_adapter
from xlt_bench.adapters.labels import label_order
from xlt_bench.adapters.saved_prompt import is_prompt, read_prompt
from xlt_bench.adapters.stored import find_record, trained_prompt
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.io.paths import in_home, is_file, is_folder
from xlt_bench.records.cell import Cell
from xlt_bench.records.manifest import MANIFEST
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

_OUTPUT = ("out_proj.weight", "out_proj.bias")
"""Of the head: one row a class."""


@dataclass(frozen=True)
class Start:
    """Weights to start from; classes are in the task's order.

    Attributes:
        name: as the user gave it.
        words: what it is, for errors and caveats.
        method: the name of the method whose own weights these are; None for those of an adapter.
        prompt: the prompt's tensors: by name in the method's own module, or, of an adapter, by role.
        head: the classification head, by name.
        learned: languages whose labels it was trained on, None where that is not known.
    """

    name: str
    words: str
    method: str | None
    prompt: Mapping[str, tuple[Tensor, ...]]
    head: Mapping[str, Tensor]
    learned: tuple[str, ...] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every weight: 16 hex digits."""
        digest = hashlib.sha256()
        for name, tensors in sorted({**self.prompt, **{key: (value,) for key, value in self.head.items()}}.items()):
            for tensor in tensors:
                digest.update(f"\x1e{name}\x1f{tuple(tensor.shape)}\x1f".encode())
                digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def caveat(self) -> str:
        """What a reader of a table should know."""
        learned = "" if self.learned is not None else "; which languages and labels that has seen is not known here"
        return f"Started from {self.words}, weights {self.fingerprint}{learned}."

    def check_cell(self, cell: Cell) -> None:
        """Refuse zero-shot targets whose labels the start was trained on.

        Raises:
            ConfigError: there is one.
        """
        learned = sorted(set(self.learned or ()) & set(cell.targets) - set(cell.learned_languages))
        if learned:
            codes = ", ".join(learned[:6]) + (f" and {len(learned) - 6} more" if len(learned) > 6 else "")
            raise ConfigError(
                f"--init-from {self.name} was trained on labels of {codes}, so these are no zero-shot targets; "
                "leave them out of --targets, or name them among --sources"
            )


def open_start(reference: str, store: Store, *, labels: Sequence[str], method: str, backbone: BackboneSource) -> Start:
    """Read what to start from.

    Args:
        reference: a Record's fingerprint or first digits, its folder, an adapter's folder or hub id.
        store: where Records are looked for.
        labels: the task's classes, in order.
        method: the name of the method that is to start from it.
        backbone: which it is to stand before.

    Raises:
        ConfigError: nothing is there, it is no soft prompt, or it is of another method, backbone or label set.
    """
    path = in_home(reference)
    if is_file(path / MANIFEST):
        store, reference = Store(path.resolve().parent), path.resolve().name
    elif is_folder(path) or not re.fullmatch(r"[0-9a-f]{4,16}", reference):
        if not is_folder(path) and "/" not in reference:
            raise ConfigError(
                f"--init-from '{reference}': neither a Record's fingerprint, nor a folder with {CONFIG}, nor a hub id"
            )
        return _of_adapter(reference, labels, backbone)
    return _of_record(find_record(store, reference), store, labels, method, backbone)


def _of_adapter(reference: str, labels: Sequence[str], backbone: BackboneSource) -> Start:
    adapter = open_adapter(reference)
    if not is_prompt(adapter):
        raise ConfigError(
            f"--init-from {reference} is an adapter of kind {adapter.kind}; "
            "a soft prompt starts from one of kind PROMPT_TUNING, P_TUNING or XPE"
        )
    if adapter.base_model is not None:
        backbone_name(adapter, backbone.name)  # refuses hub ids that differ
    saved = read_prompt(adapter)
    order = label_order(reference, saved.classes, labels, None, adapter.labels)
    return Start(
        name=reference,
        words=f"adapter {reference} ({adapter.kind})",
        method=None,
        prompt=saved.roles,
        head=_ordered(saved.head, order.columns(labels)),
    )


def _of_record(record: Record, store: Store, labels: Sequence[str], method: str, backbone: BackboneSource) -> Start:
    cell = record.cell
    trained = trained_prompt(store, record, "started from")
    if _bare(cell.method) != _bare(method):
        raise ConfigError(
            f"Record {cell.fingerprint} is of {cell.method}; only that method can start from it, not {method}"
        )
    if cell.backbone_hash != backbone.fingerprint:
        raise ConfigError(
            f"Record {cell.fingerprint} was trained on backbone '{cell.backbone}' ({cell.backbone_hash}), "
            f"not on '{backbone.name}' ({backbone.fingerprint}); give that one with --backbone"
        )
    order = label_order(f"Record {cell.fingerprint}", len(trained.labels), labels, None, trained.labels)
    return Start(
        name=cell.fingerprint,
        words=f"Record {cell.fingerprint} ({record.row_label}, sources {record.sources_label}, seed {cell.seed})",
        method=cell.method,
        prompt={name: (tensor,) for name, tensor in trained.state.items() if not name.startswith("head.")},
        head=_ordered(trained.head, order.columns(labels)),
        learned=cell.learned_languages if cell.init_from is None else None,
    )


def _ordered(head: Mapping[str, Tensor], rows: Sequence[int]) -> dict[str, Tensor]:
    """The head with its classes in another order."""
    return {name: tensor[list(rows)] if name in _OUTPUT else tensor for name, tensor in head.items()}


def _bare(method: str) -> str:
    """Without the hash of a file's content: an edited method may start from its older weights, if they fit."""
    return method.partition("#")[0]
