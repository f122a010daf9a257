"""Task cldr: what kind of thing is named? Territories, languages, currencies and units in 124 languages.

The names come from the CLDR data inside the installed `babel`; which items and languages belong to the task is shipped
(`items.tsv`, `languages.csv`), with a hash of every item, so that another release is noticed and never silently scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.backbones.languages import is_backbone, pretraining_of
from xlt_bench.errors import ConfigError, DataError
from xlt_bench.languages.groups import named_groups
from xlt_bench.languages.table import known_languages
from xlt_bench.task import SPLITS, Example, Labelled, Language, Split, Task, TaskInfo
from xlt_bench.tasks.tables import flagged, languages_of, read_lines, read_table

if TYPE_CHECKING:
    from xlt_bench.tasks.cldr.items import ListedItem, Texts

PACKAGE = "xlt_bench.tasks.cldr"
BABEL_VERSION = "2.18.0"
MEASURED_WITH = "nano"
"""The backbone whose low-performing languages the table flags."""
LIKE_XLMR = ("xlm-roberta", "nano")
"""Lists of pre-training languages for which full-16 was sorted into halves."""
LABELS = ("territory", "language", "currency", "unit")


def load(data_dir: Path | None) -> Task:
    """The task, with every item verified against its shipped hash.

    Raises:
        ConfigError: a data folder is given; the task has none.
        DataError: the installed babel gives other texts than the release the list was made with.
    """
    from xlt_bench.tasks.cldr.items import listed_items, texts_of

    if data_dir is not None:
        raise ConfigError("task cldr ships with the package and takes no data folder; leave --data-dir out")
    rows = _rows()
    items = listed_items()
    texts = texts_of({row["code"]: row["locale"] for row in rows}, [(item.class_name, item.key) for item in items])
    verify(items, texts)
    data = {code: {split: _labelled(code, split, items, texts) for split in SPLITS} for code in texts}
    return Task("cldr", LABELS, languages_of(rows), data)


def verify(items: list[ListedItem], texts: Texts) -> None:
    """Refuse texts that are not, item for item, those that the list was made from."""
    from xlt_bench.tasks.cldr.items import hash_of

    different = sum(item.hash != hash_of((item.class_name, item.key), texts) for item in items)
    if different:
        from importlib.metadata import version

        raise DataError(
            f"babel {version('babel')} is installed, and {different} of the {len(items)} items of task cldr differ "
            f"there from babel {BABEL_VERSION}, which the list was made with; pip install babel=={BABEL_VERSION}"
        )


def groups(backbone: str) -> Mapping[str, frozenset[str]]:
    """The named groups known for a backbone; low-performing was measured with nano and holds for it alone.

    `full-16` are the targets of full supervision, half of them seen in pre-training.
    """
    rows = _rows()
    table = languages_of(rows)
    full = frozenset(read_lines(PACKAGE, "full-16.txt"))
    pretraining = pretraining_of(backbone)
    if pretraining is None:
        return {**named_groups(table, seen=None, low_performing=None), "full-16": full}
    seen, unseen = pretraining.seen, pretraining.unseen(table, known_languages())
    if pretraining.name not in LIKE_XLMR:
        return {**named_groups(table, seen=seen, unseen=unseen, low_performing=None), "full-16": full}
    low = flagged(rows, "low_performing") if is_backbone(MEASURED_WITH, backbone) else None
    standard = named_groups(table, seen=seen, unseen=unseen, low_performing=low)
    return {**standard, "full-16": full, "full-8-seen": full & seen, "full-8-unseen": full & unseen}


def languages() -> Mapping[str, Language]:
    """What the shipped table says of the languages, in the task's order."""
    return languages_of(_rows())


def _rows() -> list[dict[str, str]]:
    return read_table(PACKAGE, "languages.csv")


def _labelled(code: str, split: Split, items: list[ListedItem], texts: Texts) -> Labelled:
    import numpy as np

    names = texts[code]
    present = [item for item in items if item.split == split and (item.class_name, item.key) in names]
    examples = (Example(f"{i.class_name}|{i.key}", code, names[i.class_name, i.key]) for i in present)
    gold = np.array([LABELS.index(item.class_name) for item in present], np.int64)
    return Labelled(tuple(examples), gold)


INFO = TaskInfo(
    name="cldr",
    summary="what kind of thing is named? 4 classes, 124 languages; ships with the package",
    backbone="nano",
    preset="cldr",
    seeds=3,
    load=load,
    groups=groups,
    files=lambda folder: (),  # they are babel's and this package's
    languages=languages,
    full_targets=("full-16", "full-8-seen", "full-8-unseen"),
    primary="unseen",
    low_performing_with=MEASURED_WITH,
)
