"""The split rule of task cldr, in one place: the task and whatever is pre-trained on its train part both ask here."""

from __future__ import annotations

import hashlib

from xlt_bench.task import Split


def split_of(class_name: str, key: str) -> Split:
    """The split of one item, the same in every language.

    `class_name` is one of the task's labels and `key` is babel's own (`territory`, `DE`; `unit`, `length-meter`).
    SHA-1 of `class|key` modulo 100: under 70 train, under 80 dev, else test.
    """
    bucket = int(hashlib.sha1(f"{class_name}|{key}".encode()).hexdigest(), 16) % 100
    if bucket < 70:
        return "train"
    return "dev" if bucket < 80 else "test"
