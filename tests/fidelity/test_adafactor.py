"""The optimiser's update: an independent transformers Adafactor, and one step worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.optimization import Adafactor

from tests.support.fits import short
from xlt_bench.recipe import Rate
from xlt_bench.training.adafactor import Together
from xlt_bench.training.optimisation import make_optimiser, step_together

Array = NDArray[np.float64]
RATE, DECAY = 0.01, 0.1


def random_tensor(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pair() -> list[nn.Parameter]:
    """A matrix and a vector."""
    return [nn.Parameter(random_tensor(6, 4, seed=1)), nn.Parameter(random_tensor(4, seed=2))]


def ours(parameters: list[nn.Parameter], decay: float = DECAY) -> torch.optim.Optimizer:
    return make_optimiser({"head": parameters}, short(rates={"head": Rate(RATE, decay)}))


def step(optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], seed: int, scale: float) -> None:
    for at, parameter in enumerate(parameters):
        parameter.grad = scale * random_tensor(*parameter.shape, seed=100 * seed + at)
    optimiser.step()


def reference(parameters: list[nn.Parameter]) -> Adafactor:
    return Adafactor(
        parameters,
        lr=RATE,
        eps=(1e-30, 1e-3),
        clip_threshold=1.0,
        decay_rate=-0.8,
        beta1=None,
        weight_decay=DECAY,
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
    )


def test_many_updates_equal_those_of_an_independent_adafactor() -> None:
    one, other = pair(), pair()
    mine, theirs = ours(one), reference(other)
    for seed in range(200):
        scale = 10.0 if seed % 7 == 6 else 1.0  # a jump in the gradient makes the clip threshold bite
        step(mine, one, seed, scale)
        step(theirs, other, seed, scale)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-6) for a, b in zip(one, other, strict=True))


def test_a_long_drift_from_the_reference_is_rounding_and_no_other_rule() -> None:
    """In float64 the two agree to the last digits; in float32 each is as far from that as the other is.

    The gradients have a mean, so the parameters grow and with them the rounding of each step.
    """
    steps, fits = 1000, {}
    for make in (ours, reference):
        for dtype in (torch.float32, torch.float64):
            parameters = [nn.Parameter(parameter.detach().to(dtype)) for parameter in pair()]
            optimiser = make(parameters) if make is reference else make(parameters, DECAY)
            for seed in range(steps):
                for number, parameter in enumerate(parameters):
                    gradient = 0.5 + random_tensor(*parameter.shape, seed=100 * seed + number)
                    parameter.grad = gradient.to(dtype)
                optimiser.step()
            fits[make.__name__, dtype] = torch.cat([p.detach().double().flatten() for p in parameters])
    exact = fits["reference", torch.float64]
    assert_allclose(fits["ours", torch.float64], exact, rtol=0, atol=1e-13)
    errors = {name: float((fits[name, torch.float32] - exact).abs().max()) for name in ("ours", "reference")}
    assert 0.0 < errors["ours"] < 2 * errors["reference"]


def several(lane: int) -> list[nn.Parameter]:
    """Two matrices of one shape, vectors, a scalar, a matrix with more dimensions."""
    shapes = [(6, 4), (4,), (6, 4), (7, 4), (), (2, 3, 5)]
    return [nn.Parameter(random_tensor(*shape, seed=50 * lane + at)) for at, shape in enumerate(shapes)]


def test_lanes_stepped_together_are_updated_as_each_alone_also_when_one_leaves() -> None:
    packed, alone = ([several(lane) for lane in range(3)] for _ in range(2))
    together, optimisers = Together(), [ours(parameters) for parameters in packed]
    for seed in range(40):
        active = [0, 1, 2] if seed < 15 else [0, 2]  # the second lane leaves
        for lane in active:
            for at, parameter in enumerate(packed[lane]):
                parameter.grad = random_tensor(*parameter.shape, seed=1000 * lane + 10 * seed + at)
        step_together([optimisers[lane] for lane in active], together)
    for lane, parameters in enumerate(alone):
        optimiser = reference(parameters)
        for seed in range(15 if lane == 1 else 40):
            for at, parameter in enumerate(parameters):
                parameter.grad = random_tensor(*parameter.shape, seed=1000 * lane + 10 * seed + at)
            optimiser.step()
    for one, other in zip(packed, alone, strict=True):
        assert all(torch.allclose(a, b, rtol=0, atol=1e-6) for a, b in zip(one, other, strict=True))


def test_lanes_may_have_rates_of_their_own_and_parameters_without_gradient() -> None:
    one, other = pair(), pair()
    optimisers = [ours(one, decay=0.0), ours(other)]
    optimisers[0].param_groups[0]["lr"] = 0.0
    one[0].grad, other[0].grad = torch.ones(6, 4), torch.ones(6, 4)
    step_together(optimisers, Together())
    assert torch.equal(one[0], pair()[0])
    assert torch.equal(one[1], pair()[1])
    assert not torch.equal(other[0], pair()[0])
    assert torch.equal(other[1], pair()[1])


def clipped(update: Array) -> Array:
    return update / max(1.0, float(np.sqrt((update**2).mean())))


def factored(rows: Array, columns: Array, gradient: Array) -> Array:
    """Gradient over the root of the rank-one estimate of its second moment (Shazeer & Stern 2018, algorithm 4)."""
    root: Array = np.sqrt(np.outer(rows, columns) / rows.mean())
    return gradient / root


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_two_steps_equal_the_closed_form(decay: float) -> None:
    """After step t the second moment keeps 1 - t^-0.8 of what it was: nothing at first, 1 - 2^-0.8 then."""
    parameters = pair()
    matrix, vector = (p.detach().double().numpy().copy() for p in parameters)
    optimiser = ours(parameters, decay)
    rows, columns, squares = np.zeros(6), np.zeros(4), np.zeros(4)
    for t in (1, 2):
        step(optimiser, parameters, seed=t, scale=1.0)
        kept = 1 - t**-0.8
        g_matrix, g_vector = (
            random_tensor(*s, seed=100 * t + at).double().numpy() for at, s in enumerate([(6, 4), (4,)])
        )
        rows = kept * rows + (1 - kept) * (g_matrix**2).mean(1)
        columns = kept * columns + (1 - kept) * (g_matrix**2).mean(0)
        squares = kept * squares + (1 - kept) * g_vector**2
        matrix = matrix * (1 - RATE * decay) - RATE * clipped(factored(rows, columns, g_matrix))
        vector = vector * (1 - RATE * decay) - RATE * clipped(g_vector / np.sqrt(squares))
        assert_allclose(parameters[0].detach().numpy(), matrix, rtol=0, atol=1e-6)
        assert_allclose(parameters[1].detach().numpy(), vector, rtol=0, atol=1e-6)


def test_adamw_is_torch_s_with_the_recipe_s_rates() -> None:
    recipe = short(optimiser="adamw", rates={"head": Rate(RATE, DECAY)})
    one, other = pair(), pair()
    optimiser, reference = make_optimiser({"head": one}, recipe), torch.optim.AdamW(other, lr=RATE, weight_decay=DECAY)
    for seed in range(5):
        step(optimiser, one, seed, 1.0)
        step(reference, other, seed, 1.0)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))
