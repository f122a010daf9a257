"""The base of methods that put a prompt before the input of a frozen backbone.

A subclass brings a module whose `forward()` gives the prompt, and says which of its parameters play which role.
Tokenising, batches, the packed forward pass, training, the cached prompt, prediction and saving are done here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch, merge, tokens_at_once
from xlt_bench.method import Context, FitSummary, PackError, Scores
from xlt_bench.recipe import Phase, ReadOut, Recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.data import TrainData, text_limit, tokenise, tokenised
from xlt_bench.training.head import ClassificationHead, new_head
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.trainer import Lane, gold_of, train


class Prompted(nn.Module):
    """What is trained: the prompt's module and the classification head."""

    def __init__(self, prompt: nn.Module, head: ClassificationHead) -> None:
        super().__init__()
        self.prompt = prompt
        self.head = head


@dataclass(frozen=True, kw_only=True)
class SoftPrompt(ABC):
    """A soft prompt before a frozen backbone, trained with the classification head.

    As in Hugging Face PEFT's prompt tuning: position ids count from the first virtual token, which is the one that the
    head reads unless the recipe says otherwise, and the backbone's own dropout is active while fitting.

    Args:
        learning_rate: of the prompt's parameters, in place of the preset's.
        head_learning_rate: of the classification head, in place of the preset's.
    """

    uses_backbone: ClassVar[bool] = True

    learning_rate: float | None = None
    head_learning_rate: float | None = None

    @abstractmethod
    def build(self, width: int) -> nn.Module:
        """The prompt's module: `forward()` gives the prompt, shape (n, width). New parameters, randomly initialised."""

    @abstractmethod
    def roles(self, prompt: nn.Module) -> Roles:
        """The module's parameters by role: `prompt`, `pseudo` or `encoder` (see Recipe.rates)."""

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
            head = new_head(backbone.architecture, len(context.labels))
            return Prompted(self.build(backbone.architecture.prompt_width), head).to(backbone.device)

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
        try:
            train(lanes, PromptedForward(backbone, lanes[0].data.train.pad_id, contexts[0].recipe.read_out))
        finally:
            backbone.frozen.eval()
        outcomes = [
            lane.failure or FittedPrompt(self, module, context, lane.close())
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
        vectors = self._vectors(modules[0])
        data: dict[tuple[int, int], TrainData] = {}  # lanes on the same splits share their ids
        lanes = []
        for module, split, context, phase in zip(modules, splits, contexts, phases, strict=True):
            same = (id(split[0]), id(split[1]))
            if same not in data:
                data[same] = tokenised(*split, context.backbone, context.recipe, vectors)
            roles = {**self.roles(module.prompt), "head": list(module.head.parameters())}
            lanes.append(Lane(module, roles, context, self._recipe(context.recipe, roles), phase, data[same]))
        return lanes

    def _recipe(self, recipe: Recipe, roles: Roles) -> Recipe:
        own = {role: self.learning_rate for role in roles if role != "head"}
        return recipe.with_rates(**own, head=self.head_learning_rate)

    @staticmethod
    @torch.no_grad()
    def _vectors(module: Prompted) -> int:
        return len(module.eval().prompt())  # in train mode its dropout would draw from the caller's random state

    def load(self, folder: Path, context: Context) -> FittedPrompt:
        """Restore what `FittedPrompt.save` wrote."""
        module = self.new_module(context)
        weights, summary = load_fit(folder)
        module.load_state_dict(weights)
        return FittedPrompt(self, module.eval(), context, summary)


class PromptedForward:
    """Forward pass of several modules at once: batches one below the other, each behind its own prompt."""

    def __init__(self, backbone: Backbone, pad_id: int, read_out: ReadOut = "first") -> None:
        self._backbone = backbone
        self._pad_id = pad_id
        self._read_out = read_out

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (items, classes), one tensor a module."""
        kept = self._in_mode(modules)
        hidden = self.hidden([module.prompt() for module in kept], batches)
        return [module.head(states) for module, states in zip(kept, hidden, strict=True)]

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Add the gradient of each module's mean cross entropy to its parameters; the losses, detached.

        Each prompt is computed once. Behind it, a batch of a single module goes through the backbone in blocks of
        texts of like length, one after the other.
        """
        kept = self._in_mode(modules)
        prompts = [module.prompt() for module in kept]
        leaves = [prompt.detach().requires_grad_(prompt.requires_grad) for prompt in prompts]
        losses = [torch.zeros((), device=self._backbone.device) for _ in kept]
        for blocks in self._blocks(batches, len(leaves[0])):
            hidden = self.hidden(leaves, blocks)
            parts = [
                functional.cross_entropy(module.head(states), gold_of(block).to(states.device), reduction="sum")
                / len(batch)
                for module, states, block, batch in zip(kept, hidden, blocks, batches, strict=True)
            ]
            torch.stack(parts).sum().backward()
            losses = [loss + part.detach() for loss, part in zip(losses, parts, strict=True)]
        for prompt, leaf in zip(prompts, leaves, strict=True):
            if leaf.grad is not None:
                prompt.backward(leaf.grad)
        return losses

    def hidden(self, prompts: Sequence[Tensor], batches: Sequence[Batch]) -> list[Tensor]:
        """What the head reads, (items, head width) in float32, one tensor a prompt."""
        lean = self._backbone.lean if self._read_out == "first" else None
        vectors, sizes = len(prompts[0]), [len(batch) for batch in batches]
        if lean is not None and not lean.training and all(batch is batches[0] for batch in batches):
            words = lean.words(batches[0], vectors)
            return [lean([prompt], sizes[:1], words).float() for prompt in prompts]
        merged = merge(batches, self._pad_id)
        if lean is not None:
            return list(lean(prompts, sizes, lean.words(merged, vectors)).float().split(sizes))
        rows = torch.cat([prompt.expand(size, -1, -1) for prompt, size in zip(prompts, sizes, strict=True)])
        return list(self._backbone.hidden(rows, merged, self._read_out).split(sizes))

    def _blocks(self, batches: Sequence[Batch], vectors: int) -> list[Sequence[Batch]]:
        if len(batches) > 1:
            return [batches]
        return [[block] for block in batches[0].blocks(tokens_at_once(self._backbone.device), vectors)]

    def _in_mode(self, modules: Sequence[nn.Module]) -> list[Prompted]:
        # peft leaves the frozen backbone in train mode while fitting, so its own dropout is active
        kept = [module for module in modules if isinstance(module, Prompted)]
        if self._backbone.frozen.training != kept[0].training:
            self._backbone.frozen.train(kept[0].training)
        return kept


class FittedPrompt:
    """A trained prompt and head. The prompt is computed once and cached: inference costs the same for every method."""

    def __init__(self, method: SoftPrompt, module: Prompted, context: Context, summary: FitSummary) -> None:
        self.method = method
        self.module = module.eval()
        self.context = context
        self.summary = summary
        with torch.no_grad():
            self.prompt: Tensor = module.prompt().detach()

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        backbone, recipe = self.context.backbone, self.context.recipe
        texts = tokenise(examples, backbone, recipe, text_limit(backbone, recipe, len(self.prompt)))
        forward = PromptedForward(backbone, texts.pad_id, recipe.read_out)
        backbone.frozen.eval()
        scores = np.zeros((len(texts), len(self.context.labels)), np.float32)
        with torch.no_grad():
            for index in texts.sorted_batches(len(self.prompt), tokens_at_once(backbone.device)):
                (hidden,) = forward.hidden([self.prompt], [texts.batch(index)])
                scores[index] = self.module.head(hidden).cpu().numpy()
        return scores

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
        modules = [self._adaptable() for _ in contexts]
        splits = list(zip(trains, devs, strict=True))
        return self.method.train_lanes(modules, splits, contexts, [context.recipe.target for context in contexts])

    def _adaptable(self) -> Prompted:
        module = deepcopy(self.module)
        for part in module.prompt.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        return module

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (prompt module and head), `cached_prompt.safetensors` and `fit.json`.

        The cached prompt's file names the classes in its metadata, so that it can be read without the task.
        """
        save_fit(folder, self.module.state_dict(), self.summary)
        labels = {"labels": json.dumps(self.context.labels)}
        save_file({"prompt": self.prompt.contiguous()}, folder / "cached_prompt.safetensors", labels)
