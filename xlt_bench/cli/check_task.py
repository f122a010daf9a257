"""`xlt-bench check-task`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlt_bench.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.task import Task, TaskInfo
    from xlt_bench.tasks.report import TaskReport
    from xlt_bench.tasks.token_counts import TokenCounts


def check_task(
    task: Annotated[str, typer.Argument(help="A name of `ls tasks`, path/to/task.toml, or the folder that has it.")],
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the task's files.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Whose tokens are counted; none: not at all. [default: the task's]")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(min=1, help="Tokens of a text that a run keeps. [default: the task's]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load a task, check it, and show what it is made of and what should give pause.

    Example: xlt-bench check-task sib200 --data-dir sib-200/data
    """
    from rich.console import Console

    from xlt_bench.tasks import task_info
    from xlt_bench.tasks.report import task_report

    notes = Console(stderr=True, highlight=False)
    info = task_info(task)
    loaded = info.load(data_dir)
    report = task_report(loaded)
    limit = max_length or _limit(info)
    counts = _token_counts(loaded, backbone or info.backbone, limit, notes)
    if as_json:
        print(json.dumps(_as_json(info, loaded, report, counts, limit), ensure_ascii=False))
        return
    _show(Console(highlight=False), info, loaded, report, counts, limit)


def _limit(info: TaskInfo) -> int:
    from xlt_bench.recipe import preset_recipe

    return info.max_length or preset_recipe(info.preset).max_length


def _token_counts(task: Task, backbone: str, limit: int, notes: Console) -> dict[str, TokenCounts]:
    """By language; none, and the reason is said, where the backbone's tokenizer is not at hand."""
    from xlt_bench.backbones.source import NO_BACKBONE, locate
    from xlt_bench.errors import BackboneError
    from xlt_bench.task import SPLITS

    if backbone == NO_BACKBONE:
        return {}
    try:
        source = locate(backbone)
    except BackboneError as error:
        notes.print(f"tokens are not counted: {error}", soft_wrap=True)
        return {}
    from xlt_bench.tasks.token_counts import token_counts

    examples = {
        code: [example for split in SPLITS for example in task.split(code, split).examples] for code in task.languages
    }
    return token_counts(examples, source.tokenizer, limit)


def _show(
    console: Console,
    info: TaskInfo,
    task: Task,
    report: TaskReport,
    counts: dict[str, TokenCounts],
    limit: int,
) -> None:
    from rich.table import Table
    from rich.text import Text

    from xlt_bench.io.texts import clean
    from xlt_bench.tasks.token_counts import CUT_SHARE, too_long

    total = sum(report.classes.values())
    classes = ", ".join(f"{label} {number / total:.0%}" for label, number in report.classes.items())
    clusters = len(set(task.clusters.values()))
    lines = [
        f"{task.name}: {info.summary}",
        f"data {task.fingerprint}; {len(task.languages)} languages, {len(task.labels)} classes; {report.parallel}",
        f"classes of the test items: {classes}",
        f"clusters of test items: {clusters or 'none, each item stands for itself'}",
    ]
    lines += [f"licence: {info.licence}"] if info.licence else []
    console.print(Text("\n".join(map(clean, lines))), soft_wrap=True)
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("language", no_wrap=True)
    for column in ("train", "dev", "test", "leaked", "repeat", "conflict", "odd"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("tokens", "longest", "cut", "unk.") if counts else ():
        table.add_column(column, justify="right", no_wrap=True)
    for code, language in report.languages.items():
        count = counts.get(code)
        numbers = [*language.items.values(), language.leaked, language.repeated, language.contradicted, language.odd]
        tokens = (
            [f"{count.median:.0f}", str(count.longest), f"{count.cut:.1%}", f"{count.unknown:.1%}"] if count else []
        )
        table.add_row(code, *map(str, numbers), *tokens)
    console.print(table)
    console.print(
        "leaked: test items whose text is in train or dev; repeat: whose text an earlier test item has; conflict: of "
        "both, with another label; odd: texts without a letter or digit, or with unreadable characters",
        soft_wrap=True,
    )
    if counts:
        console.print(
            f"tokens: median of a text's; cut: texts with more than {limit}; unk.: tokens that are unknown",
            soft_wrap=True,
        )
    if report.untrained:
        console.print(Text(f"no train item of: {clean(', '.join(report.untrained))}"), soft_wrap=True)
    cut = too_long(counts)
    if cut:
        worst = ", ".join(f"{code} {count.cut:.0%}" for code, count in list(cut.items())[:8])
        console.print(
            f"more than {CUT_SHARE:.0%} of the texts are cut at {limit} tokens in {len(cut)} languages: {worst}; "
            "see run --max-length",
            soft_wrap=True,
        )


def _as_json(
    info: TaskInfo, task: Task, report: TaskReport, counts: dict[str, TokenCounts], limit: int
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "task": task.name,
        "data": task.fingerprint,
        "licence": info.licence,
        "citation": info.citation,
        "classes": dict(report.classes),
        "untrained": list(report.untrained),
        "shared": report.shared,
        "clusters": len(set(task.clusters.values())),
        "max_length": limit,
        "languages": {
            code: asdict(language) | ({"tokens": asdict(counts[code])} if code in counts else {})
            for code, language in report.languages.items()
        },
    }
