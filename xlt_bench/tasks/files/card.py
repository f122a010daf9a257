"""The card of a data set in the hub's layout: which files it may send `datasets` to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from xlt_bench.errors import DataError
from xlt_bench.io.paths import is_file
from xlt_bench.io.texts import shortened

_OTHER_CARD = ".huggingface.yaml"


def check_card(folder: Path, title: str) -> None:
    """Refuse a README.md whose configurations name data files outside of its folder, or on another machine.

    Args:
        title: of the data set, for errors.

    Raises:
        DataError: such a name.
    """
    from huggingface_hub import DatasetCard

    if is_file(folder / _OTHER_CARD):
        raise DataError(f"{title} has a {_OTHER_CARD}, which is not read here; move what it says to README.md")
    if not is_file(folder / "README.md"):
        return
    content = (folder / "README.md").read_text(encoding="utf-8")
    listed = DatasetCard(content, ignore_metadata_errors=True).data.get("configs")
    for configuration in listed if isinstance(listed, list) else []:
        for name in _texts([configuration.get(key) for key in ("data_files", "data_dir")]):
            if _leads_out(name):
                raise DataError(
                    f"{title}: its README.md names the data files '{shortened(name)}'; only paths inside its folder, "
                    "relative to it and without .., are read"
                )


def _texts(value: object) -> Iterator[str]:
    """All texts in a value of YAML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    # a scheme of fsspec: file://, https://, zip://...::
    return path.is_absolute() or ".." in path.parts or re.search("^[A-Za-z0-9+.-]*:/|::", name) is not None
