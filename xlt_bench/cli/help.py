"""`--help` of commands with many options: options in groups, each with an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.core import TyperArgument, TyperCommand


@dataclass(frozen=True)
class OptionGroup:
    """Options that belong together, by the names of their parameters, and examples of them, the fullest first."""

    title: str
    examples: tuple[str, ...]
    names: tuple[str, ...]


RUN = (
    OptionGroup(
        "Method",
        (
            "-m xpe --set n_tokens=10 --init-from FOLDER",
            "-m xpe --set n_tokens=10",
            "--resource unlabelled-folder=FOLDER",
        ),
        ("method", "settings", "resources", "init_from", "trials", "trial_seeds", "only_search"),
    ),
    OptionGroup("Task and backbone", ("--task sib200 --backbone nano",), ("task", "data_dir", "backbone", "seen")),
    OptionGroup(
        "Languages",
        ("--sources joshi5 --targets unseen,low-performing", "--targets unseen,low-performing"),
        ("sources", "targets", "groups_file"),
    ),
    OptionGroup(
        "Protocol",
        ("--protocol full --shots 0,8,32,all --seeds 5", "--seeds 5"),
        ("protocol", "shots", "examples", "seeds"),
    ),
    OptionGroup(
        "Training",
        ("--steps 2000 --preset released",),
        ("preset", "steps", "target_steps", "rate_factors", "checkpoint", "read_out", "max_length", "text_prefix"),
    ),
    OptionGroup(
        "Machine",
        ("--device cuda --pack 8", "--device cuda"),
        ("device", "precision", "pack", "threads", "checkpoint_minutes", "no_checkpoints"),
    ),
    OptionGroup(
        "Jobs of a cluster",
        ("--engine slurm --profile gpu.toml --job time=4:00:00 --detach",),
        ("engine", "profile", "job", "detach"),
    ),
    OptionGroup(
        "Records",
        ("--store my-results --rerun failed --label 'our best'", "--store my-results --rerun failed"),
        ("store", "rerun", "save_weights", "label", "limit_cells"),
    ),
    OptionGroup(
        "What is shown",
        ("--level 0.9 --json", "--metric macro-f1"),
        ("metric", "interval", "level", "as_json", "estimate", "output"),
    ),
)
"""Of `run`, `tune` and `study`."""

LEADERBOARD = (
    OptionGroup(
        "Rows and columns",
        ("--task cldr --sources seen --targets unseen",),
        ("store", "task", "backbone", "sources", "targets", "superseded"),
    ),
    OptionGroup(
        "Statistics",
        ("--metric macro-f1 --reference xpe --family table",),
        ("reference", "metric", "interval", "level", "family", "languages"),
    ),
    OptionGroup("Output", ("-o board.html --figures figures/",), ("form", "output", "figures", "as_json")),
    OptionGroup(
        "LaTeX",
        ("--width column --columns sources --label tab:main",),
        ("columns", "groups", "caption", "label", "width"),
    ),
)

COMPARE = (
    OptionGroup("Rows and groups", ("--task cldr --targets unseen",), ("store", "task", "targets")),
    OptionGroup(
        "Statistics",
        ("--metric macro-f1 --interval bootstrap --level 0.9",),
        ("metric", "interval", "level", "family", "languages", "paired_seeds"),
    ),
    OptionGroup("Output", ("--json",), ("as_json",)),
)

EVALUATE = (
    OptionGroup("Adapter", ("--labels a,b,c --name ours",), ("backbone", "labels", "name")),
    OptionGroup(
        "Task and languages",
        ("--task sib200 --sources joshi5 --targets unseen",),
        ("task", "data_dir", "sources", "targets"),
    ),
    OptionGroup("Machine", ("--device cuda --precision bf16",), ("device", "precision")),
    OptionGroup("Records", ("--store my-results --rerun",), ("store", "rerun", "as_json")),
)

GROUPS: Mapping[str, tuple[OptionGroup, ...]] = {
    "run": RUN,
    "tune": RUN,
    "study": RUN,
    "leaderboard": LEADERBOARD,
    "compare": COMPARE,
    "evaluate": EVALUATE,
}
"""Command -> its groups; options of other commands stand in one list, and their text has an example."""


class GroupedCommand(TyperCommand):
    """A command whose help shows options in the groups of `GROUPS`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then each group that has an option here, then what is in none."""
        groups = GROUPS.get(self.name or "", ())
        titles = {name: group.title for group in groups for name in group.names}
        records: dict[str, list[tuple[str, str]]] = {}
        flags: set[str] = set()
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                title = "Arguments" if isinstance(parameter, TyperArgument) else titles.get(parameter.name, "Options")
                records.setdefault(title, []).append(record)
                flags.update(parameter.opts)
        examples = {group.title: group.examples for group in groups}
        for title in ("Arguments", *examples, "Options"):
            if title in records:
                with formatter.section(title + _example(examples.get(title, ()), flags)):
                    formatter.write_dl(records[title])


def _example(examples: tuple[str, ...], flags: set[str]) -> str:
    """The first example whose options the command all has; nothing where there is none."""
    for words in examples:
        if {word for word in words.split() if word.startswith("-")} <= flags:
            return f", such as {words}"
    return ""
