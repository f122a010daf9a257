"""SIB-200 from the Hugging Face hub: one pinned snapshot of plain files, no remote code."""

from __future__ import annotations

from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.io import hub

REPOSITORY = "Davlan/sib200"
REVISION = "38977a667f6fc264d5c26ec57a01e16db040b358"


def fetch() -> Path:
    """The local folder of the snapshot: from the hub's cache if it is there, else downloaded once.

    Raises:
        DataError: the hub is out of reach and the snapshot is not in the cache.
    """
    try:
        return hub.snapshot(REPOSITORY, ["*.tsv"], REVISION, "dataset")
    except Exception as error:  # the hub's client lets its HTTP library's errors through, and that library changes
        raise DataError(
            f"cannot get {REPOSITORY} from the Hugging Face hub ({type(error).__name__}); to go on offline, fetch "
            f"https://huggingface.co/datasets/{REPOSITORY} or https://github.com/dadelani/sib-200 on another machine "
            "and give the folder that has <code>/{train,dev,test}.tsv: --data-dir FOLDER"
        ) from error
