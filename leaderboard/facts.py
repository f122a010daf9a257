"""What is known of a task's languages without loading it, and a task's groups as the board orders them."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import XltBenchError
from ..groups import IN_LANGUAGE, SOURCES, TARGET_GROUPS
from ..tasks import task_info, task_names
from ..tasks.tables import languages_of, read_table
from .model import LanguageFacts

_IN_LANGUAGE = IN_LANGUAGE.removeprefix(SOURCES)


def language_facts(task: str, backbone: str | None) -> dict[str, LanguageFacts]:
    """Code -> facts, in the task's order; empty for a task that does not ship a table.

    Args:
        backbone: whose pre-training decides what counts as seen; None where the board has none.
    """
    if task not in task_names():
        return {}
    languages = languages_of(read_table(f"xlt_bench.tasks.{task}", "languages.csv"))
    seen = known_groups(task, backbone).get("seen")
    return {
        code: LanguageFacts(one.name, one.family, one.script, one.joshi, None if seen is None else code in seen)
        for code, one in languages.items()
    }


def known_groups(task: str, backbone: str | None) -> Mapping[str, frozenset[str]]:
    """The groups of a task that hold for a backbone; None stands for the task's default one."""
    if task not in task_names():
        return {}
    info = task_info(task)
    try:
        return info.groups(backbone or info.backbone)
    except XltBenchError:
        return {}


def is_in_language(group: str) -> bool:
    """Whether a group is of the sources themselves: an upper bound, no transfer."""
    return group.endswith(_IN_LANGUAGE)


def in_language(sources: str) -> str:
    """The name of that group for some sources, where there are several."""
    return f"{sources}{_IN_LANGUAGE}"


def in_order(groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The task's own target groups first, in their order, then the others as they come."""
    places = {name: place for place, name in enumerate(TARGET_GROUPS)}
    return dict(sorted(groups.items(), key=lambda item: places.get(item[0], len(places))))
