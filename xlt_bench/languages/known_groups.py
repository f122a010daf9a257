"""The groups of a task for a backbone, with what the user says of its pre-training, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.backbones.languages import Pretraining, pretraining_from, pretraining_lists, pretraining_of
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.languages.groups import PRETRAINING_GROUPS, Groups, named_groups
from xlt_bench.task import TaskInfo

LIKE = "like:"
_LISTED = 8  # languages that a note names


@dataclass(frozen=True)
class KnownGroups:
    """Groups by name, and notes on them for the reader, a sentence each."""

    groups: Groups
    notes: tuple[str, ...]


def known_groups(info: TaskInfo, backbone: str, seen: str | None = None) -> KnownGroups:
    """The groups known for a task and a backbone.

    Args:
        backbone: as `--backbone` has it.
        seen: which languages it saw, as `--seen` has it: a file (see `xlt_bench.backbones.languages`), or `like:NAME` for
            a backbone that saw the same as NAME. None: as is known of the backbone itself.

    Raises:
        ConfigError: nothing is known of NAME, or the file breaks a rule.
    """
    if seen is None:
        groups = info.groups(backbone)
        return KnownGroups(groups, (*_unsettled(info, groups, backbone), *_borrowed(info, groups, backbone, backbone)))
    if seen.startswith(LIKE):
        model = seen.removeprefix(LIKE)
        groups = info.groups(model)
        if "seen" not in groups and "unseen" not in groups:
            names = [name for entry in pretraining_lists().values() for name in entry.backbones]
            raise ConfigError(f"--seen: {unknown('list of languages for', model, names, ', '.join(pretraining_lists()))}")
        note = f"seen and unseen are those of {model}, as --seen says, not of {backbone} itself"
        return KnownGroups(
            groups, (note, *_unsettled(info, groups, model), *_borrowed(info, groups, backbone, model))
        )
    pretraining = pretraining_from(Path(seen))
    groups = _with_pretraining(info, pretraining)
    return KnownGroups(groups, (f"seen and unseen are as {seen} says", *_unsettled(info, groups, seen)))


def _with_pretraining(info: TaskInfo, pretraining: Pretraining) -> Groups:
    """The task's groups that hold for any backbone, and those that a user's list of languages defines."""
    languages = info.languages()
    listed = pretraining.seen | pretraining.unsettled
    if not listed & languages.keys():
        raise ConfigError(
            f"--seen: {pretraining.name} names none of the {len(languages)} languages of task {info.name}, such as "
            f"{', '.join(list(languages)[:3])}"
        )
    unseen = frozenset(languages) - listed if pretraining.complete else frozenset()
    standard = named_groups(languages, seen=pretraining.seen, unseen=unseen, low_performing=None)
    independent = {name: codes for name, codes in info.groups("").items() if name not in PRETRAINING_GROUPS}
    return {**independent, **{name: codes for name, codes in standard.items() if name in PRETRAINING_GROUPS}}


def _unsettled(info: TaskInfo, groups: Groups, backbone: str) -> Iterable[str]:
    """Which languages are neither seen nor unseen, where either group is known."""
    if "seen" not in groups and "unseen" not in groups:
        return
    certain = groups.get("seen", frozenset()) | groups.get("unseen", frozenset())
    codes = [code for code in info.languages() if code not in certain]
    if codes:
        more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
        listed = ", ".join(codes[:_LISTED]) + more
        yield f"it is not known whether {backbone} saw {listed}: neither seen nor unseen"


def _borrowed(info: TaskInfo, groups: Groups, backbone: str, model: str) -> Iterable[str]:
    """Whose `low-performing` is, where it was measured with another backbone."""
    if "low-performing" not in groups:
        return
    owner = info.low_performing_with(model)
    if owner is not None and owner != backbone and pretraining_name(owner) != backbone:
        yield f"low-performing is as measured with {owner}, not with {backbone}"


def pretraining_name(backbone: str) -> str:
    """A hub id without its owner."""
    return backbone.rpartition("/")[2]


def source_of(backbone: str) -> str | None:
    """Where it stands which languages a backbone saw; None where no shipped list is of it."""
    pretraining = pretraining_of(backbone)
    return None if pretraining is None else pretraining.source
