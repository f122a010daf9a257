"""The studies that ship with the package, and those that users write: by name, or by the path of a TOML file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.paths import is_file
from xlt_bench.studies.definition import Study, read_study

ORDER = (
    "table1",
    "table2",
    "table3",
    "figure2",
    "same-data",
    "one-source",
    "source-size",
    "few-shot",
    "cheapest",
    "sentence-encoder",
    "sentence-encoder-unseen",
    "sentence-encoder-sources",
    "sentence-encoder-labels",
    "sentence-encoder-nusax",
    "masked-lm",
    "masked-lm-sentences",
)


def study_names() -> tuple[str, ...]:
    """The shipped studies, those of the paper first."""
    return ORDER


def find_study(reference: str) -> Study:
    """A shipped study by its name, or a user's by the path of its file.

    Raises:
        ConfigError: no such study, or its file breaks a rule.
    """
    if reference in ORDER:
        return read_study(Path(str(files("xlt_bench.studies").joinpath("data", f"{reference}.toml"))))
    if reference.endswith(".toml"):
        if not is_file(reference):
            raise ConfigError(f"no file {reference}; a study is a TOML file, see docs/studies.md")
        return read_study(Path(reference))
    raise unknown("study", reference, ORDER, "xlt-bench study ls, or give a file: my-study.toml")
