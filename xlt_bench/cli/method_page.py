"""What `xlt-bench ls methods NAME` prints: a method in full."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from xlt_bench.io.texts import clean


def method_page(name: str) -> str:
    """What a method does, its hyper-parameters with their defaults, and what it needs; imports it.

    Raises:
        XltBenchError: no such method, or one that cannot be imported.
    """
    from xlt_bench.plugins.methods import configure

    method = configure(name, {}).method
    return "\n".join(" " * (len(line) - len(line.lstrip())) + clean(line) for line in _lines(name, method))


def _lines(name: str, method: Any) -> Iterator[str]:
    from xlt_bench.plugins import hyperparameters
    from xlt_bench.resources import needs_of

    cls = type(method)
    module = sys.modules[cls.__module__].__doc__ or ""
    yield f"{name}: {' '.join(module.split(chr(10) * 2)[0].split())}"
    for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
        yield f"  {line}".rstrip()
    values = hyperparameters.defaults(cls)
    yield "Hyper-parameters (--set NAME=VALUE), with their defaults:" if values else "No hyper-parameters."
    choices = hyperparameters.choices(cls)
    unset = "the preset's" if cls.uses_backbone else "none"
    for field, value in values.items():
        text = unset if value is None else hyperparameters.text_of(value)
        other_choices = [hyperparameters.text_of(choice) for choice in choices.get(field, ()) if choice != value]
        yield f"  {field} = {text}" + (f", or {', '.join(other_choices)}" if other_choices else "")
    yield f"Backbone: {_backbone(cls)}"
    needs = sorted(needs_of(method))
    yield f"Needs beside labelled sources (--resource): {', '.join(needs) or 'nothing'}"
    procedure = getattr(cls, "procedure", None)
    if procedure is not None:
        yield f"Fit: {procedure}"


def _backbone(cls: Any) -> str:
    """Whether a method needs one, and of which kind."""
    if getattr(cls, "asks_backbone", False):
        return "a causal language model"
    if getattr(cls, "fills_mask", False):
        return "yes, with its masked language model head"
    return "yes" if cls.uses_backbone else "none"
