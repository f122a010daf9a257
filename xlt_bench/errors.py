"""One hierarchy of errors. Each message names the rule, the value and the way out; the CLI shows no traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from xlt_bench.io.texts import clean, cut_words, shortened


class XltBenchError(Exception):
    """Base of every error that this package raises on purpose: its message is one line, very long words are cut."""

    def __init__(self, message: str) -> None:
        super().__init__(cut_words(clean(message)))


class ConfigError(XltBenchError):
    """What was asked for does not exist or does not fit together."""


class DataError(XltBenchError):
    """A task's files break a rule; the message names file and line."""


class BackboneError(XltBenchError):
    """A backbone cannot be loaded, or nothing is known about its languages."""


class EndpointError(XltBenchError):
    """A language model's endpoint cannot be reached, refuses, or would cost too much; its answers so far are kept."""


class StoreError(XltBenchError):
    """The store of Records cannot be written or read."""


class ClaimLostError(StoreError):
    """Another process has taken over what this one worked on."""


class MethodError(XltBenchError):
    """A method broke the protocol: wrong shape, NaN, too few rows, predict before fit."""


class EngineError(XltBenchError):
    """Jobs or workers of an engine ended without their Records, or the cluster does not answer."""


class DivergedError(MethodError):
    """The training loss is no longer a finite number."""


def unknown(kind: str, name: str, choices: Iterable[str], see: str) -> ConfigError:
    """The error for a name that nothing answers to, with the nearest of the choices as a suggestion."""
    close = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return ConfigError(f"no {kind} '{shortened(name)}'{hint} see: {see}")
