"""Starting files of a new method, and how they are written."""

from __future__ import annotations

import importlib.util
import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Literal

from xlt_bench.errors import ConfigError
from xlt_bench.io.outputs import make_folder, write_output
from xlt_bench.io.paths import is_there
from xlt_bench.plugins.registry import METHODS, entries, qualified

Kind = Literal["soft-prompt", "own-loss", "tuned-encoder", "protocol"]
"""Which starting file: a soft prompt, one with a loss of its own, weights inside the encoder, or the whole protocol."""

_LONGEST = 24
"""Characters of a name, so that the lines it stands in keep their length."""


def write_method(name: str, kind: Kind, folder: Path) -> tuple[Path, Path, str]:
    """Write `name.py` and `test_name.py`.

    Args:
        name: lower-case words joined by `-` or `_`; the file has `_`, the class is in CamelCase.
        kind: which starting file.
        folder: made if it is not there.

    Returns:
        The method's file, its test, and the name of its class.

    Raises:
        ConfigError: a name that is none, or is taken; a file that is there already; a folder that cannot be written.
    """
    _check_name(name)
    stem, class_name = _stem(name), "".join(part.capitalize() for part in re.split("[-_]", name))
    paths = folder / f"{stem}.py", folder / f"test_{stem}.py"
    for path in paths:
        if is_there(path):
            raise ConfigError(f"{path} is there already, and is not overwritten; choose another name, or move it")
    _check_module(stem)
    templates = kind.replace("-", "_"), "test"
    make_folder(folder, "--to")
    for path, template in zip(paths, templates, strict=True):
        text = (files(__name__) / f"{template}.py.txt").read_text(encoding="utf-8")
        write_output(path, text.replace("NewMethod", class_name).replace("new_method", stem), "--to")
    return (*paths, class_name)


def _stem(name: str) -> str:
    return name.replace("-", "_")


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name) or keyword.iskeyword(_stem(name)):
        raise ConfigError(f"a method's name is lower-case words such as low-rank or low_rank, not '{name}'")
    if len(name) > _LONGEST:
        raise ConfigError(f"a method's name has at most {_LONGEST} characters; '{name}' has {len(name)}")
    rivals = [qualified(entry) for entry in entries(METHODS) if _stem(entry.name) == _stem(name)]
    if rivals:
        raise ConfigError(f"a method '{name}' exists already ({', '.join(rivals)}); choose another name")


def _check_module(stem: str) -> None:
    """A file called as an installed package would hide that package from what is run beside it."""
    if importlib.util.find_spec(stem) is not None or stem.startswith("test_"):
        raise ConfigError(f"{stem}.py would be taken for another module of that name; choose another name")
