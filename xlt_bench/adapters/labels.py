"""Which of an adapter's classes is which class of a task: predictions are worth nothing without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlt_bench.errors import ConfigError


@dataclass(frozen=True)
class LabelOrder:
    """An adapter's classes.

    Attributes:
        labels: the task's class names in the adapter's order.
        source: where the order comes from, in words.
        assumed: nothing says the order; it is taken to be the task's.
    """

    labels: tuple[str, ...]
    source: str
    assumed: bool = False

    def columns(self, task_labels: Sequence[str]) -> list[int]:
        """For each class of the task, the adapter's class that it is."""
        return [self.labels.index(label) for label in task_labels]


def label_order(
    adapter: str,
    classes: int,
    task_labels: Sequence[str],
    requested: Sequence[str] | None,
    configured: Sequence[str] | None,
) -> LabelOrder:
    """Match an adapter's classes with a task's.

    Args:
        adapter: its name, for errors.
        classes: rows of its head.
        requested: names in the adapter's order, from `--labels`.
        configured: likewise, from a `config.json` beside the adapter.

    Raises:
        ConfigError: another number of classes, or names that are not the task's.
    """
    listed = ",".join(task_labels)
    if classes != len(task_labels):
        raise ConfigError(
            f"adapter '{adapter}' has {classes} classes, the task has {len(task_labels)} ({listed}); choose its task"
        )
    if requested is not None:
        _check(requested, task_labels, f"--labels {','.join(requested)}")
        return LabelOrder(tuple(requested), "--labels")
    if configured is not None:
        _check(configured, task_labels, f"the config.json of adapter '{adapter}' names {','.join(configured)}")
        return LabelOrder(tuple(configured), "its config.json")
    return LabelOrder(tuple(task_labels), "the task's order", assumed=True)


def parse_labels(text: str | None) -> tuple[str, ...] | None:
    """`a,b,c` as names; None stays None."""
    return None if text is None else tuple(part.strip() for part in text.split(","))


def _check(names: Sequence[str], task_labels: Sequence[str], origin: str) -> None:
    if sorted(names) != sorted(task_labels):
        raise ConfigError(
            f"{origin}, and the task's classes are {','.join(task_labels)}; give each of these once, in the adapter's "
            "order: --labels"
        )
