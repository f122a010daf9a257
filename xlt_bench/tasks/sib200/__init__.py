"""Task sib200: the topic of a sentence, 7 classes, 205 languages (Adelani et al. 2024; sentences from FLORES-200).

The package ships facts about the languages only; the sentences come from a local folder or from the Hugging Face hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xlt_bench.languages.groups import named_groups, pretrained_like_xlmr
from xlt_bench.task import Language, Split, Task, TaskInfo
from xlt_bench.tasks.tables import flagged, languages_of, read_lines, read_table

LABELS = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
COUNTS: Mapping[Split, int] = {"train": 701, "dev": 99, "test": 204}
PACKAGE = "xlt_bench.tasks.sib200"


def load(data_dir: Path | None) -> Task:
    """The task from a folder, or from the hub if none is given.

    Raises:
        DataError: the files are not SIB-200 (named with file and line), or the hub is out of reach.
    """
    from xlt_bench.tasks.sib200.folder import Layout, read_folder
    from xlt_bench.tasks.sib200.hub import fetch

    return read_folder(fetch() if data_dir is None else data_dir, Layout(LABELS, languages_of(_rows()), COUNTS))


def groups(backbone: str) -> Mapping[str, frozenset[str]]:
    """The named groups known for a backbone.

    `seen` has the published flags, also for `nano` and XLM-R base; two of them are odd, see the head of languages.csv.
    `low-performing` is as measured with XLM-R large, also for `nano` and XLM-R base. `full-46` are the targets of the
    paper's full supervision, sorted into `full-23-seen` and `full-23-unseen` by the flag of the table.
    """
    rows = _rows()
    full = frozenset(read_lines(PACKAGE, "full-46.txt"))
    if pretrained_like_xlmr(backbone) is None:
        return {**named_groups(languages_of(rows), seen=None, low_performing=None), "full-46": full}
    seen = flagged(rows, "seen")
    low = frozenset(read_lines(PACKAGE, "low-performing.txt"))
    standard = named_groups(languages_of(rows), seen=seen, low_performing=low)
    return {**standard, "full-46": full, "full-23-seen": full & seen, "full-23-unseen": full - seen}


def languages() -> Mapping[str, Language]:
    """What the shipped table says of the languages, in the task's order."""
    return languages_of(_rows())


def _rows() -> list[dict[str, str]]:
    return read_table(PACKAGE, "languages.csv")


INFO = TaskInfo(
    name="sib200",
    summary="the topic of a sentence: 7 classes, 205 languages; from --data-dir or the Hugging Face hub",
    backbone="FacebookAI/xlm-roberta-large",
    preset="paper",
    seeds=10,
    load=load,
    groups=groups,
    languages=languages,
    primary="low-performing",
    full_targets=("full-46", "full-23-seen", "full-23-unseen"),
)
