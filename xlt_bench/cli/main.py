"""The command line: which commands there are, and how errors are said. Each command is a module of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from xlt_bench import __version__
from xlt_bench.cli.help import GroupedCommand
from xlt_bench.errors import XltBenchError
from xlt_bench.io.processor import share_cores
from xlt_bench.io.stop_signals import STOPPED_EXIT_CODE, Stopped
from xlt_bench.io.texts import clean, cut_words, reason, shortened

COMMANDS = {
    "run": "run",
    "study": "study",
    "leaderboard": "leaderboard",
    "compare": "compare",
    "power": "power",
    "ls": "list_",
    "label": "label",
    "forget": "forget",
    "pack": "pack",
    "merge": "merge",
    "tune": "tune",
    "new-method": "new_method",
    "check-method": "check_method",
    "check-task": "check_task",
    "export": "export",
    "evaluate": "evaluate",
    "rescore": "rescore",
    "backbone": "backbone",
    "import-baseline": "import_baseline",
    "prefetch": "prefetch",
    "doctor": "doctor",
}
"""Command -> its function, in the module of `xlt_bench.cli` that is called as the command."""


class Commands(TyperGroup):
    """Imports and builds the command that is called and no other, which halves the time of a short one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All of them, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"xlt_bench.cli.{cmd_name.replace('-', '_')}")
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, cls=GroupedCommand)(getattr(module, COMMANDS[cmd_name]))
        return typer.main.get_command(single)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich doubles the time of --help
)


def _print_version(print_it: bool) -> None:
    if print_it:
        print(f"xlt-bench {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Which way of tuning transfers best across languages, and is the difference real?"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `xlt-bench` command; returns its exit code.

    An expected error is one line on standard error, without a traceback, and exit code 2; Ctrl-C is exit code 130,
    and SIGTERM or SIGUSR2 during a run 75: started again, it goes on.
    """
    share_cores()
    _open_closed_streams()
    try:
        code = app(None if arguments is None else list(arguments), prog_name="xlt-bench", standalone_mode=False)
        return int(code or 0)
    except XltBenchError as error:
        return _say(f"error: {error}", 2)
    except Stopped as stop:
        return _say(str(stop), STOPPED_EXIT_CODE)
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", 130)
    except OSError as error:  # of the user's files or disk, where no command says it better
        place = "" if error.filename is None else f"{shortened(error.filename, 300)}: "
        return _say(f"error: {place}{reason(error)}", 2)
    except Exception as error:
        # faults in how the command was written come from the command-line library, under a name that it has moved about
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        message = error.format_message().rstrip(".").replace("Value error, ", "")  # pydantic's prefix says nothing
        message = cut_words(message)
        command = getattr(getattr(error, "ctx", None), "command_path", "xlt-bench")
        return _say(f"error: {message}; see: {command} --help", 2)


def _open_closed_streams() -> None:
    """Where the shell has closed standard output or error (`>&-`), Python has None: what is printed goes nowhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (until the process ends)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _say(text: str, code: int) -> int:
    print(clean(text), file=sys.stderr)
    return code
