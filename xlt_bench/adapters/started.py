"""A soft-prompt method whose fits start from given weights in place of random ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from xlt_bench.adapters.base_model import facts_of
from xlt_bench.adapters.start import Start, open_start
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, Method
from xlt_bench.plugins.methods import ConfiguredMethod
from xlt_bench.records.store import Store
from xlt_bench.task import Labelled, Task
from xlt_bench.training.head import ClassificationHead
from xlt_bench.training.prompted import Prompted
from xlt_bench.training.seeding import seeded
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

Pair = tuple[str, nn.Parameter | Tensor, Tensor]
"""What it is, where it goes, and its value."""


@dataclass(frozen=True)
class Started:
    """Wraps a soft-prompt method; data order and dropout still follow from the seed."""

    uses_backbone: ClassVar[bool] = True

    method: SoftPrompt
    start: Start

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        """Fit one seed."""
        return self.fit_many(train, dev, [context])[0]

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        """Fit several seeds in one pass over the backbone."""
        modules = [self.method.new_module(context) for context in contexts]
        for module in modules:
            place(self.start, self.method, module)
        return self.method.train_modules(modules, train, dev, contexts, contexts[0].recipe.source)

    def load(self, folder: Path, context: Context) -> FittedPrompt:
        """Restore what `FittedPrompt.save` wrote."""
        return self.method.load(folder, context)


def started(method: Method, name: str, start: Start, width: int, classes: int) -> Started:
    """The method with its start, once it is sure that the weights fit.

    Args:
        name: of the method, for errors.
        width: d of the backbone.
        classes: of the task.

    Raises:
        ConfigError: the method is no soft prompt, or its module has other parameters.
    """
    if not isinstance(method, SoftPrompt):
        raise ConfigError(f"--init-from starts soft prompts (methods built on SoftPrompt), not {name}")
    with seeded(0):
        module = Prompted(method.build(width), ClassificationHead(width, classes, 0.0, 0.02))
    place(start, method, module)
    return Started(method, start)


@torch.no_grad()
def place(start: Start, method: SoftPrompt, module: Prompted) -> None:
    """Put the weights into a module, in place.

    Raises:
        ConfigError: they do not fit; nothing was changed then.
    """
    pairs = [*_prompt_pairs(start, method, module.prompt), *_head_pairs(start, module.head)]
    for part, target, value in pairs:
        if target.shape != value.shape:
            raise ConfigError(
                f"--init-from {start.name}: its {part} has shape {tuple(value.shape)}, the method's "
                f"{tuple(target.shape)}; set the method's sizes alike (--set n_tokens=... and others)"
            )
    for _, target, value in pairs:
        target.copy_(value)


def _prompt_pairs(start: Start, method: SoftPrompt, prompt: nn.Module) -> Iterator[Pair]:
    targets: Mapping[str, Sequence[nn.Parameter | Tensor]]
    if start.method is None:
        targets = {role: list(parameters) for role, parameters in method.roles(prompt).items()}
    else:
        targets = {f"prompt.{name}": [value] for name, value in prompt.state_dict(keep_vars=True).items()}
    trained, offered = _counted(targets), _counted(start.prompt)
    if trained != offered:
        raise ConfigError(
            f"--init-from {start.name} holds {_listed(offered)}, but the method trains {_listed(trained)}: "
            "a prompt starts a method of the same kinds of parameters"
        )
    for name, values in start.prompt.items():
        for target, value in zip(targets[name], values, strict=True):
            yield name, target, value


def _head_pairs(start: Start, head: nn.Module) -> Iterator[Pair]:
    targets = dict(head.named_parameters())
    return ((f"head {name}", targets[name], value) for name, value in start.head.items())


def _counted(parts: Mapping[str, Sequence[object]]) -> dict[str, int]:
    return {name: len(tensors) for name, tensors in parts.items() if len(tensors)}


def _listed(counts: Mapping[str, int]) -> str:
    names = [name if count == 1 else f"{name} ({count} tensors)" for name, count in sorted(counts.items())]
    return ", ".join(names) or "no prompt"


def start_from(
    reference: str, configured: ConfiguredMethod, store: Store, task: Task, source: BackboneSource | None
) -> tuple[ConfiguredMethod, Start]:
    """A configured method that starts from what `--init-from` names, and that start.

    Raises:
        ConfigError: nothing is there, or it does not fit method, task or backbone.
    """
    if source is None:
        raise ConfigError(f"--init-from starts soft prompts; {configured.name} uses no backbone")
    start = open_start(reference, store, labels=task.labels, method=configured.name, backbone=source)
    width, classes = facts_of(source).width, len(task.labels)
    return replace(configured, method=started(configured.method, configured.name, start, width, classes)), start
