"""The bases of methods that put a prompt before the input of a frozen backbone.

A subclass brings a module whose `forward()` gives the prompt, and says which of its parameters play which role.
Tokenising, batches, the packed forward pass, training, the cached prompt, prediction and saving are done here.
`SoftPrompt` trains the classification head with the prompt; what has another head is built on `PromptTuning`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from xlt_bench.backbones.batches import tokens_at_once
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.method import Context, FitSummary, PackError, Scores
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.data import Encode, TrainData, encode_texts, origin_of, text_limit, tokenised
from xlt_bench.training.head import new_head
from xlt_bench.training.hooks import TrainingHooks, own_loss
from xlt_bench.training.lane import Lane
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted, PromptedForward, PromptedTexts
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.trainer import train


@dataclass(frozen=True, kw_only=True)
class PromptTuning(TrainingHooks, ABC):
    """A soft prompt before a frozen backbone, and a head on what is read of its states.

    As in Hugging Face PEFT's prompt tuning: position ids count from the first virtual token, and the backbone's own
    dropout is active while fitting.

    Args:
        learning_rate: of the prompt's parameters, in place of the preset's.
    """

    uses_backbone: ClassVar[bool] = True

    learning_rate: float | None = None

    @property
    def per_item(self) -> bool:
        """Whether the prompt depends on the item: the module then maps PromptedTexts to (rows, n, width).

        A subclass may also set it as a constant, `per_item: ClassVar[bool] = True`.
        """
        return False

    @abstractmethod
    def build(self, width: int) -> nn.Module:
        """The prompt's module: `forward()` gives the prompt, shape (n, width). New parameters, randomly initialised."""

    @abstractmethod
    def roles(self, prompt: nn.Module) -> Roles:
        """The module's parameters by role: `prompt`, `pseudo` or `encoder` (see Recipe.rates)."""

    @abstractmethod
    def new_head(self, context: Context) -> nn.Module:
        """Maps what is read, (rows, head width), to scores of the classes; what is new in it is drawn at random."""

    def encode(self, examples: Sequence[Example], context: Context, limit: int) -> Tokenised:
        """Token ids of the examples' texts, of at most so many tokens each."""
        return encode_texts(examples, context, limit)

    @property
    def positions(self) -> int:
        """Positions that the prompt takes from the text, as far as hyper-parameters tell: `n_tokens`."""
        return int(getattr(self, "n_tokens", 0))

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        """Fit one seed."""
        return self.fit_many(train, dev, [context])[0]

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        """Fit several seeds in one pass over the backbone."""
        modules = [self.new_module(context) for context in contexts]
        return self.train_modules(modules, train, dev, contexts, contexts[0].recipe.source)

    def new_module(self, context: Context) -> Prompted:
        """Prompt and head of one seed, initialised from that seed alone."""
        backbone = context.backbone
        with seeded(context.seed):
            head = self.new_head(context)
            prompt = self.build(backbone.architecture.prompt_width)
            return Prompted(prompt, head, self.per_item).to(backbone.device)

    def train_modules(
        self,
        modules: Sequence[Prompted],
        train_split: Labelled,
        dev: Labelled,
        contexts: Sequence[Context],
        phase: Phase,
    ) -> list[FittedPrompt]:
        """Train these modules in place, all on the same data, under a phase of the recipe."""
        return self.train_lanes(modules, [(train_split, dev)] * len(modules), contexts, [phase] * len(modules))

    def train_lanes(
        self,
        modules: Sequence[Prompted],
        splits: Sequence[tuple[Labelled, Labelled]],
        contexts: Sequence[Context],
        phases: Sequence[Phase],
    ) -> list[FittedPrompt]:
        """Train these modules in place, each on a train and dev split and under a phase of its own.

        Raises:
            DivergedError: the loss of the only module became NaN or infinite.
            PackError: that of one among several did; the error has the others, fitted.
        """
        backbone = contexts[0].backbone
        lanes = self._lanes(modules, splits, contexts, phases)
        backbone.frozen.eval()  # loaded once the texts are encoded, when a large tokenizer has given its memory back
        pad_id, read_out = lanes[0].data.train.texts.pad_id, contexts[0].recipe.read_out
        try:
            train(lanes, PromptedForward(backbone, pad_id, read_out, own_loss(self)))
        finally:
            backbone.frozen.eval()
        outcomes = [
            lane.failure or self.fitted(module, context, lane.close())
            for lane, module, context in zip(lanes, modules, contexts, strict=True)
        ]
        fits = [outcome for outcome in outcomes if isinstance(outcome, FittedPrompt)]
        if len(fits) < len(outcomes):
            raise lanes[0].failure if len(lanes) == 1 and lanes[0].failure else PackError(outcomes)
        return fits

    def _lanes(
        self,
        modules: Sequence[Prompted],
        splits: Sequence[tuple[Labelled, Labelled]],
        contexts: Sequence[Context],
        phases: Sequence[Phase],
    ) -> list[Lane]:
        vectors = vectors_of(modules[0], contexts[0].backbone.architecture.prompt_width)
        data: dict[tuple[int, int], TrainData] = {}  # lanes on the same splits share their ids
        lanes = []
        for module, split, context, phase in zip(modules, splits, contexts, phases, strict=True):
            key = (id(split[0]), id(split[1]))
            if key not in data:
                unlabelled = self.unlabelled(context)
                data[key] = tokenised(*split, context, vectors, self.views(split[0]), self.encode, unlabelled)
            roles = {**self.roles(module.prompt), "head": list(module.head.parameters())}
            recipe = self.with_own_rates(context.recipe, roles)
            order = self.batches(data[key], recipe, context.seed)
            lanes.append(Lane(module, roles, context, recipe, phase, data[key], order))
        return lanes

    def with_own_rates(self, recipe: Recipe, roles: Roles) -> Recipe:
        """The recipe with the learning rates that hyper-parameters set."""
        return recipe.with_rates(**{role: self.learning_rate for role in roles if role != "head"})

    def copy_of(self, module: Prompted, context: Context) -> Prompted:
        """A copy of a trained module, to go on from in another fit, whose context is given."""
        return deepcopy(module)

    def fitted(self, module: Prompted, context: Context, summary: FitSummary) -> FittedPrompt:
        """What predicts with a trained module; a method with more to tell than predictions gives a subclass."""
        return FittedPrompt(self, module, context, summary)

    def load(self, folder: Path, context: Context) -> FittedPrompt:
        """Restore what `FittedPrompt.save` wrote."""
        module = self.new_module(context)
        weights, summary = load_fit(folder)
        module.load_state_dict(weights)
        return self.fitted(module.eval(), context, summary)


@dataclass(frozen=True, kw_only=True)
class SoftPrompt(PromptTuning, ABC):
    """A soft prompt that is trained with the classification head.

    The head reads the first virtual token, unless the recipe says otherwise.

    Args:
        learning_rate: of the prompt's parameters, in place of the preset's.
        head_learning_rate: of the classification head, in place of the preset's.
    """

    head_learning_rate: float | None = None

    def new_head(self, context: Context) -> nn.Module:
        """The classification head."""
        return new_head(context.backbone.architecture, len(context.labels))

    def with_own_rates(self, recipe: Recipe, roles: Roles) -> Recipe:
        """Those of the prompt and of the head."""
        return super().with_own_rates(recipe, roles).with_rates(head=self.head_learning_rate)


@torch.no_grad()
def vectors_of(module: Prompted, width: int) -> int:
    """How many vectors of this width the prompt has; the module is left in eval mode, where no dropout draws."""
    prompt = module.eval().prompt
    if not module.per_item:
        return len(prompt())
    device = next(module.parameters()).device
    texts = PromptedTexts(torch.zeros(1, 1, width, device=device), torch.ones(1, 1, device=device), ("und_Zzzz",))
    return int(prompt(texts).shape[1])


class PromptScores:
    """A prompt and head that score texts and are saved.

    A prompt that is the same for all items is computed once and cached: inference costs the same for every method.

    Args:
        module: prompt and head.
        context: of the fit.
        summary: of the fit.
        encode: how texts become token ids.
    """

    def __init__(self, module: Prompted, context: Context, summary: FitSummary, encode: Encode = encode_texts) -> None:
        self.module = module.eval()
        self.context = context
        self.summary = summary
        self._encode = encode
        self.vectors = vectors_of(module, context.backbone.architecture.prompt_width)
        with torch.no_grad():
            self.prompt: Tensor | None = None if module.per_item else module.prompt().detach()

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        return self.scores_behind(self.prompt, examples)

    def scores_behind(self, prompt: Tensor | None, examples: Sequence[Example]) -> Scores:
        """Logits (items, classes) of texts behind a prompt, (n, prompt width); None: behind that of each item."""
        backbone, recipe = self.context.backbone, self.context.recipe
        texts = self._encode(examples, self.context, text_limit(backbone, recipe, self.vectors))
        origin = origin_of(examples, len(examples)) if prompt is None else None
        forward = PromptedForward(backbone, texts.pad_id, recipe.read_out)
        backbone.frozen.eval()
        scores = np.zeros((len(texts), len(self.context.labels)), np.float32)
        with torch.no_grad():
            for index in texts.sorted_batches(self.vectors, tokens_at_once(backbone.device)):
                batch = texts.batch(index)
                if origin is not None:
                    batch = replace(batch, origin=origin.take(torch.from_numpy(index)))
                batch_prompt = self.module.prompt_of(batch, backbone) if prompt is None else prompt
                (hidden,) = forward.hidden([batch_prompt], [batch])
                scores[index] = self.module.head(hidden).cpu().numpy()
        return scores

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (prompt module and head), `cached_prompt.safetensors` and `fit.json`.

        The cached prompt's file names the classes in its metadata, so that it can be read without the task; where the
        prompt depends on the item there is none.
        """
        save_fit(folder, self.module.state_dict(), self.summary)
        if self.prompt is None:
            return
        labels = {"labels": json.dumps(self.context.labels)}
        save_file({"prompt": self.prompt.contiguous()}, folder / "cached_prompt.safetensors", labels)


class FittedPrompt(PromptScores):
    """A trained prompt and head."""

    def __init__(self, method: PromptTuning, module: Prompted, context: Context, summary: FitSummary) -> None:
        super().__init__(module, context, summary, method.encode)
        self.method = method

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        """Go on training a copy on a target language; the prompt encoder's dropout is off, as in the paper."""
        return self.adapt_many([train], [dev], [context])[0]

    def adapt_many(
        self, trains: Sequence[Labelled], devs: Sequence[Labelled], contexts: Sequence[Context]
    ) -> list[FittedPrompt]:
        """`adapt` to several targets (or few-shot subsets, or seeds) in one pass; one fitted object for each.

        Raises:
            PackError: some of several diverged; the error has the others.
        """
        modules = [self._adaptable(context) for context in contexts]
        splits = list(zip(trains, devs, strict=True))
        return self.method.train_lanes(modules, splits, contexts, [context.recipe.target for context in contexts])

    def _adaptable(self, context: Context) -> Prompted:
        module = self.method.copy_of(self.module, context)
        for part in module.prompt.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        return module
