"""The command line: which commands there are, and how errors are said. Each family of commands is a module."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from xlt_bench.cli import adapters, boards, check_task, ls, plugins, run, study, tune
from xlt_bench.errors import XltBenchError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich doubles the time of --help
    help="Which way of tuning transfers best across languages, and is the difference real?",
)
app.command()(run.run)
app.command()(study.study)
app.command()(boards.leaderboard)
app.command()(boards.compare)
app.command("ls")(ls.list_)
app.command()(tune.tune)
app.command()(plugins.new_method)
app.command()(plugins.check_method)
app.command()(check_task.check_task)
app.command()(adapters.export)
app.command()(adapters.evaluate)
app.command()(boards.rescore)
app.command()(boards.import_baseline)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `xlt-bench` command; returns its exit code.

    An expected error is one line on standard error, without a traceback, and exit code 2; Ctrl-C is exit code 130.
    """
    try:
        code = app(None if arguments is None else list(arguments), prog_name="xlt-bench", standalone_mode=False)
        return int(code or 0)
    except XltBenchError as error:
        return _say(f"error: {error}", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", 130)
    except Exception as error:
        # faults in how the command was written come from the command-line library, under a name that it has moved about
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        told = error.format_message().rstrip(".").replace("Value error, ", "")  # pydantic's prefix says nothing
        command = getattr(getattr(error, "ctx", None), "command_path", "xlt-bench")
        return _say(f"error: {told}; see: {command} --help", 2)


def _say(text: str, code: int) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return code
