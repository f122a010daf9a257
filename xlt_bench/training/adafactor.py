"""Adafactor (Shazeer & Stern, 2018) as the paper sets it up, with the updates of all lanes in a few operations.

Hugging Face's Adafactor walks over parameters one by one, some fifteen small operations each. Parameters of one shape,
whichever lane they belong to, are updated here as one stacked tensor. The numbers are those of Hugging Face's class
without parameter scaling, relative step and momentum, with clip threshold 1.0 and decay rate -0.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

_DECAY_RATE = -0.8
_TINY = 1e-30
"""Added to squared gradients, so that none is zero."""


class Adafactor(torch.optim.Optimizer):
    """The optimiser of one lane: its groups have a learning rate `lr` and a `weight_decay`."""

    def __init__(self, groups: Iterable[dict[str, Any]]) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})
        self.updates: list[Update] = []
        self._alone = Together()

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take the step that `Together.prepare` computed; without one, compute it for this optimiser alone."""
        assert closure is None, "the loss is computed once"
        if not self.updates:
            self._alone.prepare([self])
        if self.updates:
            parameters: list[Tensor] = [update.parameter for update in self.updates]
            decays = torch._foreach_mul(parameters, [update.decay for update in self.updates])
            torch._foreach_sub_(parameters, list(decays))
            amounts: list[Tensor] = [update.amount for update in self.updates]
            torch._foreach_sub_(parameters, amounts)
        self.updates = []


@dataclass(frozen=True)
class Update:
    """What a step subtracts from a parameter: this share of itself, then this amount."""

    parameter: nn.Parameter
    decay: float
    amount: Tensor


@dataclass(frozen=True)
class _Member:
    """A parameter and what decides its update."""

    optimiser: Adafactor
    parameter: nn.Parameter
    group: dict[str, Any]

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.optimiser.state[self.parameter]
        return state


@dataclass
class Together:
    """Computes the steps of several lanes' optimisers at once.

    Second moments of parameters of one shape lie in one tensor; each optimiser's own state is a view of it, so that
    lanes may leave from one step to the next.
    """

    _stacks: dict[tuple[int, ...], _Stack] = field(default_factory=dict)

    @torch.no_grad()
    def prepare(self, optimisers: Sequence[Adafactor]) -> None:
        """Compute the update of every parameter that has a gradient; each optimiser's `step` takes its own."""
        by_shape: dict[torch.Size, list[_Member]] = {}
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        member = _Member(optimiser, parameter, group)
                        by_shape.setdefault(parameter.shape, []).append(member)
        for shape, members in by_shape.items():
            stack = self._stacks.get(tuple(shape))
            if stack is None or not stack.is_of(members):
                stack = self._stacks[tuple(shape)] = _Stack(members)
            stack.prepare()


class _Stack:
    """Parameters of one shape, (members, ...), and their second moments."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._members = members
        first = members[0].parameter
        shapes = {"row": first.shape[:-1], "column": first.shape[:-2] + first.shape[-1:]}
        self._moments = {
            name: torch.stack([member.state.get(name, first.new_zeros(shape)) for member in members])
            for name, shape in (shapes if first.ndim > 1 else {"square": first.shape}).items()
        }
        for number, member in enumerate(members):
            member.state.setdefault("step", 0)
            member.state.update({name: moment[number] for name, moment in self._moments.items()})

    def is_of(self, members: Sequence[_Member]) -> bool:
        """Whether these are its members."""
        return [id(member.parameter) for member in members] == [id(member.parameter) for member in self._members]

    def prepare(self) -> None:
        """Give each member's optimiser its update."""
        for member in self._members:
            member.state["step"] += 1
        gradients = torch.stack([_gradient(member.parameter) for member in self._members])
        shares = self._column([1.0 - math.pow(member.state["step"], _DECAY_RATE) for member in self._members])
        update = self._scaled(gradients, shares)
        rows = update.view(len(self._members), -1)
        norms = rows.norm(2, dim=1, keepdim=True) / rows.shape[1] ** 0.5
        rows.div_(norms.clamp_(min=1.0)).mul_(self._column([member.group["lr"] for member in self._members]))
        for member, amount in zip(self._members, update.unbind(), strict=True):
            decay = member.group["weight_decay"] * member.group["lr"]
            member.optimiser.updates.append(Update(member.parameter, decay, amount))

    def _scaled(self, gradients: Tensor, shares: Tensor) -> Tensor:
        """Gradients over the root of their second moments, of which `shares`, (members, 1), is the part of the past."""
        squares = gradients.square().add_(_TINY)
        if "square" in self._moments:
            return _blend(self._moments["square"], squares, shares).rsqrt().mul_(gradients)
        row = _blend(self._moments["row"], squares.mean(-1), shares)
        column = _blend(self._moments["column"], squares.mean(-2), shares)
        row = (row / row.mean(-1, keepdim=True)).rsqrt_()
        return (row.unsqueeze(-1) * column.unsqueeze(-2).rsqrt()).mul_(gradients)

    def _column(self, values: Sequence[float]) -> Tensor:
        """One number a member, (members, 1)."""
        first = self._members[0].parameter
        return torch.tensor(values, dtype=first.dtype).to(first.device, non_blocking=True).unsqueeze(1)


def _gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None, "only parameters with a gradient are members"
    return parameter.grad


def _blend(moment: Tensor, new: Tensor, shares: Tensor) -> Tensor:
    """Move a running mean, in place; `shares` has a number a member."""
    shares = shares.view(-1, *[1] * (moment.ndim - 1))
    return moment.mul_(shares).add_(new * (1.0 - shares))
