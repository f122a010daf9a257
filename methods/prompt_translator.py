"""A soft prompt and a translator of it a target, in the spirit of MPT (Qiu et al., ICME 2024)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.methods.spt import SPT, StandardPrompt
from xlt_bench.methods.xpe import prompt_encoder
from xlt_bench.recipe import Recipe
from xlt_bench.resources import PARALLEL_DISJOINT
from xlt_bench.task import Example
from xlt_bench.training.data import NO_CLASS, TrainData
from xlt_bench.training.losses import CROSS_ENTROPY, Outputs, Terms, gold_of
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.order import Index
from xlt_bench.training.prompted import Prompted, PromptedTexts
from xlt_bench.training.saving import load_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.soft_prompt import FittedPrompt

TRANSLATION = "translation"
"""Name of the term that pulls the answers to the two texts of a pair together."""


class TranslatedPrompts(nn.Module):
    """The sources' prompt, (n, d), and by language a network that says what its translation differs by, (n, d)."""

    def __init__(self, source: nn.Module, translators: nn.ModuleDict) -> None:
        super().__init__()
        self.source = source
        self.translators = translators

    def of(self, language: str) -> Tensor:
        """The prompt before texts of a language, (n, d): the sources' own, where there is no translator."""
        prompt: Tensor = self.source()
        return prompt + self.translators[language](prompt) if language in self.translators else prompt

    def forward(self, texts: PromptedTexts) -> Tensor:
        """One prompt a row, (rows, n, d)."""
        prompts = {language: self.of(language) for language in dict.fromkeys(texts.languages)}
        return torch.stack([prompts[language] for language in texts.languages])


@dataclass(frozen=True, kw_only=True)
class PromptTranslator(SPT):
    """SPT whose prompt is translated for each target, by what pairs of texts without labels tell.

    A step has as many texts as one of SPT: half are labelled items, half are texts of pairs, of the targets in turn.

    Args:
        n_tokens: vectors of the prompt.
        hidden: width of a translator's two hidden layers.
        dropout: after each of them, while fitting.
        weight: of the term that pulls the answer to a target text behind the translated prompt to that to the source
            text behind the sources'; with 0 nothing is translated, and the method is SPT on the same labels.
    """

    hidden: int = 256
    dropout: float = 0.1
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden < 1 or not 0.0 <= self.dropout < 1.0 or self.weight < 0.0:
            raise ConfigError(
                "prompt-translator needs hidden of at least 1, 0 <= dropout < 1 and weight >= 0, "
                f"not hidden={self.hidden}, dropout={self.dropout:g}, weight={self.weight:g}"
            )

    @property
    def needs(self) -> frozenset[str]:
        """Pairs without labels, which leave labels of half of the train items; with every weight, for comparisons."""
        return super().needs | {PARALLEL_DISJOINT}

    @property
    def per_item(self) -> bool:
        """The prompt is that of the text's language."""
        return self.weight > 0.0

    @property
    def has_own_loss(self) -> bool:
        """Where prompts are translated."""
        return self.weight > 0.0

    def check_languages(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Refuse runs that learn from labels of a target."""
        if not sources or not targets:
            option = "--protocol full" if sources else "--sources none"
            raise ConfigError(
                f"{option} learns from all labels of a target's train split, and prompt-translator from pairs of items "
                "that nobody has labels of; use --protocol zero-shot with --sources"
            )

    def new_module(self, context: Context) -> Prompted:
        """Prompt and head as SPT draws them; translators that begin as no change, each as if it were the only one."""
        module = super().new_module(context)
        return self._with_translators(module, context, context.resources[PARALLEL_DISJOINT]) if self.weight else module

    def build(self, width: int) -> nn.Module:
        """The sources' prompt, to which translators are added when the targets are known."""
        prompt = super().build(width)
        return TranslatedPrompts(prompt, nn.ModuleDict()) if self.weight else prompt

    def _with_translators(self, module: Prompted, context: Context, languages: Iterable[str]) -> Prompted:
        prompts = module.prompt
        assert isinstance(prompts, TranslatedPrompts)
        start = int(np.random.SeedSequence([context.seed, 0x7A]).generate_state(1)[0])
        for language in languages:
            with seeded(start):
                prompts.translators[language] = self._new_translator(context.backbone.architecture.prompt_width)
        return module.to(context.backbone.device)

    def _new_translator(self, width: int) -> nn.Sequential:
        translator = prompt_encoder(width, self.hidden, self.dropout)
        for parameter in translator[-1].parameters():
            nn.init.zeros_(parameter)
        return translator

    def roles(self, prompt: nn.Module) -> Roles:
        """The prompt as SPT's, translators as XPE's encoder."""
        if isinstance(prompt, StandardPrompt):
            return super().roles(prompt)
        assert isinstance(prompt, TranslatedPrompts)
        return {"prompt": prompt.source.parameters(), "encoder": prompt.translators.parameters()}

    def unlabelled(self, context: Context) -> Sequence[Example]:
        """The source texts of all pairs, and after them the target texts."""
        if not self.weight:
            return ()
        pairs = [(code, pair) for code, of_target in context.resources[PARALLEL_DISJOINT].items() for pair in of_target]
        sources = [Example("", pair.language, *pair.source) for _, pair in pairs]
        return [*sources, *(Example("", code, *pair.target) for code, pair in pairs)]

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        """Labelled items, then the source texts of some pairs, then their target texts."""
        if not self.weight:
            return super().batches(data, recipe, seed)
        labelled = super().batches(data, replace(recipe, batch_size=max(recipe.batch_size // 2, 1)), seed)
        pairs = pair_batches(data, max(recipe.batch_size // 4, 1), seed)
        return map(np.concatenate, zip(labelled, pairs, strict=False))

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        """Cross entropy of the labelled items, and the weighted divergence of the pairs' answers."""
        if not self.weight:
            return super().loss(outputs, batch)
        gold = gold_of(batch)
        items = int((gold != NO_CLASS).sum())
        labelled, paired = outputs.logits[:items], outputs.logits[items:]
        return {
            CROSS_ENTROPY: functional.cross_entropy(labelled, gold[:items].to(labelled.device)),
            TRANSLATION: self.weight * divergence(paired),
        }

    def fitted(self, module: Prompted, context: Context, summary: FitSummary) -> FittedPrompt:
        """One that takes the prompt of each text's language."""
        kind = FittedTranslator if self.weight else FittedPrompt
        return kind(self, module, context, summary)

    def load(self, folder: Path, context: Context) -> FittedPrompt:
        """Restore what `FittedPrompt.save` wrote, with the translators that the file has."""
        weights, summary = load_fit(folder)
        module = super().new_module(context)
        if self.weight:
            prefix = "prompt.translators."
            codes = [name.removeprefix(prefix).split(".")[0] for name in weights if name.startswith(prefix)]
            module = self._with_translators(module, context, dict.fromkeys(codes))
        module.load_state_dict(weights)
        return self.fitted(module.eval(), context, summary)


class FittedTranslator(FittedPrompt):
    """A trained prompt and its translations."""

    @torch.no_grad()
    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given; the prompt of a language is computed once."""
        prompts = self.module.prompt
        assert isinstance(prompts, TranslatedPrompts)
        scores = np.zeros((len(examples), len(self.context.labels)), np.float32)
        for language in dict.fromkeys(example.language for example in examples):
            rows = [row for row, example in enumerate(examples) if example.language == language]
            scores[rows] = self.scores_behind(prompts.of(language), [examples[row] for row in rows])
        return scores


def divergence(logits: Tensor) -> Tensor:
    """KL(answer to the source text, answer to the target text), a mean over pairs, in nats; a scalar.

    The source's answer is held fixed.

    Args:
        logits: (2 x pairs, classes); row i of the first half is of the source text, row i of the second of the target.
    """
    source, target = logits.log_softmax(1).chunk(2)
    return functional.kl_div(target, source.detach(), reduction="batchmean", log_target=True)


def pair_batches(data: TrainData, pairs: int, seed: int) -> Iterator[Index]:
    """Endless batches of pairs, targets in turn: the rows of their source texts, then those of their target texts.

    Args:
        data: whose last rows are the source texts of all pairs and then, in the same order, their target texts.
        pairs: of a batch, at most; fewer where a target has fewer, and in the last batch of an epoch of its own.
        seed: what the order follows from.
    """
    count = (len(data.train) - data.items) // 2
    languages = data.train.origin.language[data.items + count :].numpy()
    source_rows = data.items + np.arange(count)
    by_target = [
        _epochs(source_rows[languages == language], pairs, np.random.default_rng([seed, 0xDA7B, language]))
        for language in np.unique(languages)
    ]
    for batches in cycle(by_target):
        rows = next(batches)
        yield np.concatenate([rows, rows + count])


def _epochs(rows: Index, size: int, random: np.random.Generator) -> Iterator[Index]:
    """Batches of these rows, shuffled anew in every epoch, without end."""
    while True:
        order = random.permutation(rows)
        yield from (order[start : start + size] for start in range(0, len(order), size))
