"""The groups of a task for a backbone, with what the user says of its pre-training, and notes on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.backbones.languages import Pretraining, is_backbone, pretraining_from, pretraining_lists
from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.languages.group_files import with_groups
from xlt_bench.languages.groups import PRETRAINING_GROUPS, Groups, named_groups
from xlt_bench.task import TaskInfo

LIKE = "like:"
_LISTED = 8  # languages that a note names


@dataclass(frozen=True)
class KnownGroups:
    """Groups by name, and notes on them for the reader, a sentence each."""

    groups: Groups
    notes: tuple[str, ...]


def known_groups(
    info: TaskInfo,
    backbone: str,
    codes: Iterable[str] = (),
    *,
    seen: str | None = None,
    groups_file: Path | None = None,
) -> KnownGroups:
    """The groups known for a task and a backbone.

    Args:
        backbone: as `--backbone` has it.
        codes: the task's languages, for a task whose TaskInfo does not list them.
        seen: which languages it saw, as `--seen` has it: a file (see `xlt_bench.backbones.languages`), or `like:NAME`
            for a backbone that saw the same as NAME. None: as is known of the backbone itself.
        groups_file: more groups, see `xlt_bench.languages.group_files`.

    Raises:
        ConfigError: nothing is known of NAME, or a file breaks a rule.
    """
    languages = tuple(info.languages()) or tuple(codes)
    base = _of_the_task(info, backbone, seen)
    if groups_file is not None:
        groups = with_groups(groups_file, base.groups, languages, task=info.name, backbone=backbone)
        base = KnownGroups(groups, base.notes)
    return KnownGroups(base.groups, (*base.notes, *_unsettled(languages, base.groups, backbone)))


def _of_the_task(info: TaskInfo, backbone: str, seen: str | None) -> KnownGroups:
    if seen is None:
        groups = info.groups(backbone)
        return KnownGroups(groups, tuple(_borrowed(info, groups, backbone, backbone)))
    if seen.startswith(LIKE):
        model = seen.removeprefix(LIKE)
        groups = info.groups(model)
        if "seen" not in groups and "unseen" not in groups:
            names = [name for entry in pretraining_lists().values() for name in entry.backbones]
            examples = ", ".join(entry.backbones[0] for entry in pretraining_lists().values())
            raise ConfigError(f"--seen: {unknown('list of languages of', model, names, examples)}")
        note = f"seen and unseen are those of {model}, as --seen says, not of {backbone} itself"
        return KnownGroups(groups, (note, *_borrowed(info, groups, backbone, model)))
    return KnownGroups(_with_pretraining(info, pretraining_from(Path(seen))), (f"seen and unseen are as {seen} says",))


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
    independent = {name: codes for name, codes in info.groups(NO_BACKBONE).items() if name not in PRETRAINING_GROUPS}
    return {**independent, **{name: codes for name, codes in standard.items() if name in PRETRAINING_GROUPS}}


def _unsettled(languages: Iterable[str], groups: Groups, backbone: str) -> Iterable[str]:
    """Which languages are neither seen nor unseen, where either group is known."""
    certain = groups.get("seen", frozenset()) | groups.get("unseen", frozenset())
    codes = [code for code in languages if code not in certain]
    if certain and codes:
        more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
        yield f"whether {backbone} saw {', '.join(codes[:_LISTED])}{more} is not known: neither seen nor unseen"


def _borrowed(info: TaskInfo, groups: Groups, backbone: str, model: str) -> Iterable[str]:
    """Whose `low-performing` is, where it was measured with another backbone."""
    owner = info.low_performing_with or model
    if "low-performing" in groups and not is_backbone(owner, backbone):
        yield f"low-performing is as measured with {owner}, not with {backbone}"
