"""From the options that a Request declares, and those that several commands share, to typer's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.errors import ConfigError
from xlt_bench.runs.option import Option, Scope, options_of
from xlt_bench.runs.request import DEFAULT_STORE, Request, read_request

Interval = Literal["two-way", "bootstrap", "seeds"]
Family = Literal["group", "table"]
Languages = Literal["fixed", "random"]

IntervalOption = Annotated[
    Interval,
    typer.Option("--interval", help="What is random: seeds and items (two-way, bootstrap), or seeds alone."),
]
MetricOption = Annotated[
    str | None,
    typer.Option("--metric", help="What is shown and tested: accuracy, macro-f1. [default: as the task is judged]"),
]
FamilyOption = Annotated[
    Family,
    typer.Option(
        "--family", help="Tests that are corrected together: of each target group, or of all groups of a table."
    ),
]
LanguagesOption = Annotated[
    Languages,
    typer.Option(
        "--languages",
        help="Take languages as they are, or as drawn at random, family by family (bootstrap): inference beyond them.",
    ),
]
LevelOption = Annotated[float, typer.Option(help="Nominal coverage of the intervals.")]
TaskFilter = Annotated[
    str | None,
    typer.Option(
        help="Only this task; name@digits tells versions of its data apart.", autocompletion=completer("tasks")
    ),
]
PackOption = Annotated[
    int | None,
    typer.Option(min=1, help="Runs that go through the backbone together. [default: 1 on a CPU, up to 16 on a GPU]"),
]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads on a CPU. [default: the cores that this process may use]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]


def check_languages(languages: Languages, interval: Interval) -> None:
    """Refuse languages at random where seeds alone are.

    Raises:
        ConfigError: as said.
    """
    if languages == "random" and interval == "seeds":
        raise ConfigError(
            "--languages random resamples seeds, items and languages together, which --interval seeds excludes; "
            "leave one of them out"
        )


def declared(field: str) -> Any:
    """For typer: a command's own parameter that means what this field of a Request does."""
    (option,) = (option for option in options_of(Request) if option.field == field)
    return _parameter_info(option)


def _parameter_info(option: Option) -> Any:
    return typer.Option(
        *option.flags,
        help=option.help,
        metavar=option.metavar,
        autocompletion=completer(option.completes) if option.completes else None,
    )


StoreOption = Annotated[Path, declared("store")]
STORE = DEFAULT_STORE


def with_request(scope: Scope, required: Collection[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a typer command of a function `(request, *, further options)`.

    The command has an option for every field of a Request that can be given in this scope, and calls the function with
    the Request that they make.

    Args:
        scope: the command's name.
        required: fields that must be given although a Request has a default for them.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        _, *further = inspect.signature(function, eval_str=True).parameters.values()
        options = options_of(Request, scope)

        def command(**arguments: Any) -> None:
            values = {option.field: arguments.pop(option.field) for option in options}
            request = read_request({name: value for name, value in values.items() if value != []})
            function(request, **arguments)

        # what typer reads: the parameters of a function are its signature
        parameters = [_parameter(option, option.field in required) for option in options]
        parameters += [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in further]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return command

    return decorate


def _parameter(option: Option, required: bool) -> inspect.Parameter:
    # only what is written in the same way as it is kept has a default that --help can show
    default = option.default if isinstance(option.default, str | bool | Path) else None
    kind = option.kind if required or default is not None else option.kind | None
    return inspect.Parameter(
        option.field,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else default,
        annotation=Annotated[kind, _parameter_info(option)],
    )
