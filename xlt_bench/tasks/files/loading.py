"""A task from its description: every table read and checked, and the Task that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xlt_bench.task import SPLITS, Example, Labelled, Split, Task
from xlt_bench.tasks.clusters import linked
from xlt_bench.tasks.files.description import TaskDescription
from xlt_bench.tasks.files.layout import Layout
from xlt_bench.tasks.files.opening import open_tables
from xlt_bench.tasks.files.parallel import Parts, check_items
from xlt_bench.tasks.files.values import CheckedRows, checked_part


def load_task(description: TaskDescription) -> Task:
    """Read all tables of a task.

    Raises:
        DataError: the first rule that is broken, with file and line and the way out.
    """
    layout = description.layout
    readers = open_tables(layout)
    parts: dict[str, dict[Split, list[CheckedRows]]] = {
        code: {split: [] for split in SPLITS} for code in layout.folders
    }
    for (code, split), read in readers.items():
        columns = layout.source_of(code, split).columns
        parts[code][split] = [checked_part(table, columns, split, layout) for table in read()]
    check_items(parts, layout)
    data = {
        code: {split: _labelled(code, split, parts[code][split], layout) for split in SPLITS} for code in layout.folders
    }
    return Task(description.name, layout.labels, description.languages, data, _clusters(parts, data))


def _clusters(parts: Mapping[str, Parts], data: Mapping[str, Mapping[Split, Labelled]]) -> dict[str, str]:
    """Test items that share a cluster in any language are one cluster: a premise has other words in each."""
    features: dict[str, list[tuple[str, str]]] = {}
    for code, splits in parts.items():
        names = [name for part in splits["test"] for name in part.clusters or ()]
        for example, name in zip(data[code]["test"].examples if names else (), names, strict=True):
            features.setdefault(example.id, []).append((code, name))
    return linked(features)


def _labelled(code: str, split: Split, parts: Sequence[CheckedRows], layout: Layout) -> Labelled:
    examples: list[Example] = []
    first = 1  # rows of earlier tables of the split are counted, also those that were left out
    for part in parts:
        for item, row in enumerate(part.rows):
            name = f"{split}-{first + row}" if part.ids is None else part.ids[item]
            # an id that languages share is one item to the statistics; a source without ids shares none
            shared = layout.items == "by-line" or (layout.items != "separate" and part.ids is not None)
            pair = None if part.pairs is None else part.pairs[item]
            examples.append(Example(name if shared else f"{code}:{name}", code, part.texts[item], pair))
        first += part.lines
    return Labelled(tuple(examples), np.array([gold for part in parts for gold in part.gold], np.int64))
