"""A Recipe: budget and optimisation of a fit, as plain data; and the presets, named recipes that all methods share.

What a method needs besides or instead it brings itself (see `WithRecipe` in `xlt_bench/method.py`). Presets `paper` and
`released` follow "Cross-Prompt Encoder for Low-Performing Languages" (arXiv 2508.10352) and its public code
(bmikaberidze/XPE) where the two differ; `sib200` and `sib200-joint` follow the scripts of SIB-200 (dadelani/sib-200).
`cldr` and `e5` are ours, measured for the embedded task and for SIB-200 with a small encoder. docs/presets.md says what
of each is not as in its source.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from xlt_bench.errors import ConfigError, unknown

ReadOut = Literal["first", "last", "mean"]
"""Which state of a text the classification head reads: that of the whole input's first position (the prompt's, where
there is one), of the text's last token, or the mean over the text's tokens."""

LANGUAGE_ROLE = "language"
"""Role of what is fitted on a language's unlabelled text."""

Order = Literal["random", "by-length", "length-grouped"]
"""How train items come into batches (see `xlt_bench.training.order`): at random; with items of like length, batches
shuffled; with items of like length as in Hugging Face's Trainer, long ones first."""

Checkpoint = Literal["best-dev", "last", "mean"]
"""Which parameters a fit ends with: those of the best dev accuracy (the earliest of equals), the last, or the mean over
all dev evaluations."""


@dataclass(frozen=True)
class Rate:
    """Learning rate and weight decay of a parameter group."""

    learning_rate: float
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Phase:
    """The budget of one fit: on the sources, or adapting to a target.

    Attributes:
        steps: optimiser steps; None where `epochs` says it.
        epochs: passes over the train split, used where `steps` is None.
        warmup: share of the steps in which the learning rate rises linearly from zero.
        patience: evaluations without a lower dev loss before the fit stops early; None: it never does.
    """

    steps: int | None
    epochs: int | None = None
    warmup: float = 0.0
    patience: int | None = 20

    def total_steps(self, items: int, batch_size: int) -> int:
        """Optimiser steps for a train split of this many items."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None, "a phase has steps or epochs"
        return self.epochs * -(-items // batch_size)


@dataclass(frozen=True)
class Recipe:
    """Budget and optimisation of a fit.

    Attributes:
        source, target: the budgets of fitting on sources and of adapting to a target.
        rates: by the role of a parameter group: `prompt` (soft prompt), `pseudo` (pseudo prompt of an encoder),
            `encoder`, `head`, `backbone`, and those that a method brings. Biases and normalisation weights get no decay
            where `decay_biases` is False.
        optimiser: Hugging Face's Adafactor (no parameter scaling, no relative step, no momentum, clip threshold 1.0,
            decay rate -0.8) or torch's AdamW.
        schedule: cosine with hard restarts (`cycles`), or linear to zero.
        evaluate_every: steps between dev evaluations; None: once an epoch.
        dev_limit: at most this many dev items, stratified by language and class; None: all.
        max_length: tokens of a text kept, special tokens included, prompt not counted.
        clip_norm: gradients are clipped at this norm; None: not at all.
        order: how train items come into batches.
        checkpoint: which parameters a fit ends with.
        read_out: the state that the head reads; a decoder is read at its last token or as a mean.
        text_prefix: put before every text, such as `query: `, which some backbones were trained with.
        language: the budget of the fit of one language on its unlabelled text; None of methods without one.
    """

    source: Phase
    target: Phase
    rates: Mapping[str, Rate]
    batch_size: int = 32
    optimiser: Literal["adafactor", "adamw"] = "adafactor"
    schedule: Literal["cosine-restarts", "linear"] = "cosine-restarts"
    cycles: int = 2
    evaluate_every: int | None = None
    dev_limit: int | None = None
    max_length: int = 164
    clip_norm: float | None = None
    order: Order = "random"
    checkpoint: Checkpoint = "best-dev"
    decay_biases: bool = True
    read_out: ReadOut = "first"
    text_prefix: str = ""
    language: Phase | None = None

    def rate(self, role: str) -> Rate:
        """The rate of a parameter group.

        Raises:
            ConfigError: the recipe has no rate for this role.
        """
        if role not in self.rates:
            raise unknown("learning rate for parameter group", role, self.rates, "xlt_bench.recipe.Recipe.rates")
        return self.rates[role]

    def with_steps(self, source: int | None = None, target: int | None = None) -> Recipe:
        """The same recipe with other budgets; None leaves one as it is."""
        budgets = {
            name: dataclasses.replace(getattr(self, name), steps=steps, epochs=None)
            for name, steps in (("source", source), ("target", target))
            if steps is not None
        }
        return dataclasses.replace(self, **budgets)

    def with_checkpoint(self, checkpoint: Checkpoint) -> Recipe:
        """The same recipe ending with other parameters; but for the best on dev, the dev split decides nothing then."""
        if checkpoint == "best-dev":
            return dataclasses.replace(self, checkpoint=checkpoint)
        source, target = (dataclasses.replace(phase, patience=None) for phase in (self.source, self.target))
        return dataclasses.replace(self, checkpoint=checkpoint, source=source, target=target)

    def without_sources(self) -> Recipe:
        """The same recipe for a fit on a target's own train split alone: the target's budget is the fit's."""
        return dataclasses.replace(self, source=self.target)

    def with_rates(self, **rates: float | None) -> Recipe:
        """The same recipe with other learning rates, by role; None leaves a role as it is."""
        changed = {
            role: dataclasses.replace(self.rate(role), learning_rate=rate)
            for role, rate in rates.items()
            if rate is not None
        }
        return dataclasses.replace(self, rates=MappingProxyType({**self.rates, **changed}))

    def with_roles(self, **rates: Rate) -> Recipe:
        """The same recipe with rates of further roles, or with others of roles that it has."""
        return dataclasses.replace(self, rates=MappingProxyType({**self.rates, **rates}))

    def scaled(self, body: float, head: float) -> Recipe:
        """The same recipe with other learning rates: the head's times `head`, those of all other roles times `body`.

        The role `language` keeps its rate: fits of languages are shared by all settings of the fit on labels.

        Raises:
            ConfigError: a factor that is no positive number.
        """
        if not all(0.0 < factor < math.inf for factor in (body, head)):
            raise ConfigError(f"a factor on learning rates must be a positive number, not {body:g},{head:g}")
        factors = {role: head if role == "head" else body for role in self.rates} | {LANGUAGE_ROLE: 1.0}
        return self.with_rates(**{role: rate.learning_rate * factors[role] for role, rate in self.rates.items()})

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a Cell and its fingerprint."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["source"], plain["target"] = dataclasses.asdict(self.source), dataclasses.asdict(self.target)
        plain["rates"] = {role: dataclasses.asdict(rate) for role, rate in sorted(self.rates.items())}
        if self.language is None:  # no part of the identity of methods that know no such stage
            del plain["language"]
        else:
            plain["language"] = dataclasses.asdict(self.language)
        return plain

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Recipe:
        """The inverse of `as_json`."""
        rates = {role: Rate(**rate) for role, rate in plain["rates"].items()}
        return Recipe(
            **{
                **plain,
                "source": Phase(**plain["source"]),
                "target": Phase(**plain["target"]),
                "rates": MappingProxyType(rates),
                "language": Phase(**plain["language"]) if "language" in plain else None,
            }
        )


@dataclass(frozen=True)
class Preset:
    """A named recipe, as far as all methods share it."""

    name: str
    summary: str
    recipe: Recipe


_SLOW = Rate(5e-5, 0.1)
_PAPER = Recipe(
    source=Phase(steps=24_000, patience=20),
    target=Phase(steps=6_000, patience=30),
    rates=MappingProxyType({"prompt": Rate(5e-3), "pseudo": _SLOW, "encoder": _SLOW, "head": _SLOW}),
)
_SLOW_RELEASED = Rate(5e-5, 0.01)
_RELEASED = dataclasses.replace(
    _PAPER,
    source=Phase(steps=24_000, warmup=0.10, patience=20),
    target=Phase(steps=6_000, warmup=0.05, patience=30),
    rates=MappingProxyType(
        {"prompt": Rate(5e-3), "pseudo": Rate(5e-3), "encoder": _SLOW_RELEASED, "head": _SLOW_RELEASED}
    ),
    clip_norm=1.0,
    order="length-grouped",
    decay_biases=False,
)
_CLDR = Recipe(
    source=Phase(steps=400, warmup=0.05, patience=20),
    target=Phase(steps=200, warmup=0.05, patience=20),
    rates=MappingProxyType(
        {"prompt": Rate(0.05), "pseudo": Rate(5e-3), "encoder": Rate(3e-3), "head": Rate(1e-3), "backbone": Rate(1e-4)}
    ),
    evaluate_every=200,
    dev_limit=1000,
    max_length=64,
    clip_norm=1.0,
    order="by-length",
    decay_biases=False,
)
_E5 = dataclasses.replace(
    _CLDR,
    source=Phase(steps=300, warmup=0.05, patience=20),
    target=Phase(steps=100, warmup=0.05, patience=20),
    evaluate_every=100,
    dev_limit=None,
    max_length=256,
)
_SIB200 = dataclasses.replace(
    _PAPER,
    source=Phase(steps=None, epochs=20, patience=None),
    target=Phase(steps=None, epochs=20, patience=None),
    rates=MappingProxyType({**_PAPER.rates, "backbone": Rate(1e-5), "head": Rate(1e-5)}),
    optimiser="adamw",
    schedule="linear",
    clip_norm=1.0,
    checkpoint="last",
)
_SIB200_JOINT = dataclasses.replace(_SIB200, batch_size=64, source=dataclasses.replace(_SIB200.source, epochs=10))

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("paper", "arXiv 2508.10352 as printed", _PAPER),
            Preset("released", "the paper's released code, where it differs from the paper", _RELEASED),
            Preset("sib200", "SIB-200's fine-tuning on one language: the last checkpoint", _SIB200),
            Preset("sib200-joint", "SIB-200's fine-tuning on all languages together", _SIB200_JOINT),
            Preset("e5", "measured for SIB-200 with e5-small-q4: what a laptop can do", _E5),
            Preset("cldr", "measured for the embedded task cldr with nano", _CLDR),
        )
    }
)


def preset_recipe(name: str) -> Recipe:
    """What a named preset holds for all methods.

    Raises:
        ConfigError: no preset has this name.
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS, ", ".join(PRESETS))
    return PRESETS[name].recipe
