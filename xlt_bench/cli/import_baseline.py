"""`xlt-bench import-baseline`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, StoreOption


def import_baseline(
    file: Annotated[Path, typer.Argument(help="Answers: .tsv or .csv, also .gz: language, index_id, gold, answer.")],
    name: Annotated[str, typer.Option(help="Of the system, as a table shows it.")],
    rule: Annotated[
        str, typer.Option(help="How an answer is read: first-mention, last-mention, only-mention, exact.")
    ] = "first-mention",
    setting: Annotated[str, typer.Option(help="How the system was used; rows are grouped by it.")] = "zero-shot prompt",
    task: Annotated[str, typer.Option(help="A name of `ls tasks`, or path/to/task.toml.")] = "sib200",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the task's files.")] = None,
    store: StoreOption = STORE,
) -> None:
    """Store the answers of a language model to a task's test items as a Record with evidence per item.

    Example: xlt-bench import-baseline answers.tsv --name my-llm
    """
    from xlt_bench.leaderboard.data.imported import answered_task, import_answers
    from xlt_bench.records.store import Store

    answered = answered_task(task, data_dir)
    for line in import_answers(Store(store), file, answered, name=name, rule=rule, setting=setting):
        print(line)
