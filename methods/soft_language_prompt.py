"""Soft language prompts (Vykopal, Ostermann & Šimko, NAACL 2025): a prompt a language, learned from text alone, beside
that of the task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.lm_head import check_lm_head
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.languages.table import language_of
from xlt_bench.method import Context, LanguageFit, LanguageFits
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import LANGUAGE_ROLE, Phase, Rate, Recipe
from xlt_bench.resources import UNLABELLED_FOLDER, UNLABELLED_TARGET, Text
from xlt_bench.training.language_fit import fit_masked_lm, frozen_loss, language_phase
from xlt_bench.training.masked_lm import MaskedLm
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted, PromptedTexts
from xlt_bench.training.soft_prompt import SoftPrompt

START_TEXT = "Generate the output in {language}:"
"""A language's prompt starts as the input embeddings of these words, over and over, as in the authors' code."""
_PROMPT = "prompt"
"""Name of a language's prompt among the weights of its fit."""


class PromptedEncoder(nn.Module):
    """A frozen encoder that sees a prompt before the words of every text, and gives the states of the text alone.

    Args:
        encoder: is called as its architecture calls it.
        prompt: vectors before the texts' input embeddings, (n, prompt width).
    """

    def __init__(self, encoder: nn.Module, prompt: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.prompt = nn.Parameter(prompt)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None, **further: Any
    ) -> Any:
        """As the encoder is called, with token ids, (rows, tokens)."""
        encoder: Any = self.encoder
        vectors, words = len(self.prompt), encoder.get_input_embeddings()(input_ids)
        prompts = self.prompt.to(words.dtype).expand(len(words), -1, -1)
        if token_type_ids is not None:
            further["token_type_ids"] = functional.pad(token_type_ids, (vectors, 0))
        mask = functional.pad(attention_mask, (vectors, 0), value=1)
        outputs = encoder(attention_mask=mask, inputs_embeds=torch.cat([prompts, words], 1), **further)
        outputs.last_hidden_state = outputs.last_hidden_state[:, vectors:]
        return outputs


class LanguagePrompts:
    """Which prompt stands before the texts of a language; those in use are kept in memory.

    Args:
        languages: the fits.
        swap: whether languages without labels have their own.
        device: of the prompts.
    """

    def __init__(self, languages: LanguageFits, swap: bool, device: torch.device) -> None:
        self._languages = languages
        self._swap = swap
        self._device = device
        self._ready: dict[str, Tensor] = {}

    def of(self, language: str) -> Tensor:
        """Its prompt, (n, prompt width)."""
        if language not in self._ready:
            prompts = [self._languages.fits[code].weights[_PROMPT] for code in self._codes(language)]
            self._ready[language] = torch.stack(prompts).mean(0).to(self._device)
        return self._ready[language]

    def _codes(self, language: str) -> Sequence[str]:
        """Of which languages it is the mean: of the labelled ones, where a language has none of its own."""
        labelled = self._languages.labelled
        has_one = language in labelled or (self._swap and language in self._languages.fits)
        return (language,) if has_one else labelled


class BesideLanguage(nn.Module):
    """The prompt of the task, and behind it that of each text's language, which is no parameter here."""

    def __init__(self, task: nn.Module, languages: LanguagePrompts) -> None:
        super().__init__()
        self.task = task
        self.languages = languages

    def forward(self, texts: PromptedTexts) -> Tensor:
        """One prompt a row, (rows, n, prompt width)."""
        languages = torch.stack([self.languages.of(code) for code in texts.languages])
        return torch.cat([self.task().expand(len(languages), -1, -1), languages], 1)


@dataclass(frozen=True, kw_only=True)
class SoftLanguagePrompt(SoftPrompt):
    """A prompt of the task and one of the text's language; at test the second is swapped for that of the target.

    The input is the task's prompt, the language's, the text: position 0, which the head reads, is the task's.

    Args:
        task: how the prompt of the task is made.
        n_tokens: vectors of the prompt of the task.
        hidden, dropout: of the encoder of `xpe`; of no effect with `spt`.
        language_tokens: vectors of the prompt of a language; with 0 there are none, and the method is spt or xpe.
        text: where unlabelled text comes from: `target`, the targets' train texts without labels; `folder`, the user's.
        swap: whether a target has a prompt of its own; else the mean of the sources' stands there, and no text of the
            targets is used.
        language_steps: of the fit of a language, in place of the preset's.
        language_learning_rate: likewise.
    """

    task: Literal["spt", "xpe"] = "spt"
    n_tokens: int = 20
    hidden: int = 256
    dropout: float = 0.1
    language_tokens: int = 50
    text: Literal["target", "folder"] = "target"
    swap: bool = True
    language_steps: int | None = None
    language_learning_rate: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.language_tokens < 0:
            raise ConfigError(f"a prompt has language_tokens >= 0, not {self.language_tokens}")
        if self.language_steps is not None and self.language_steps < 1:
            raise ConfigError(
                f"language_steps of soft-language-prompt must be at least 1, and is {self.language_steps}"
            )
        self.task_method()

    def task_method(self) -> SPT | XPE:
        """The method that the prompt of the task is of; it refuses sizes that cannot be."""
        if self.task == "spt":
            return SPT(n_tokens=self.n_tokens)
        return XPE(n_tokens=self.n_tokens, hidden=self.hidden, dropout=self.dropout)

    @property
    def per_item(self) -> bool:
        """Whether there are languages' prompts."""
        return self.language_tokens > 0

    @property
    def positions(self) -> int:
        """Of both prompts."""
        return self.n_tokens + self.language_tokens

    @property
    def needs(self) -> frozenset[str]:
        """The targets' unlabelled text, where their own prompts are used."""
        if not (self.swap and self.language_tokens):
            return super().needs
        return super().needs | {UNLABELLED_TARGET if self.text == "target" else UNLABELLED_FOLDER}

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one without a masked language model head."""
        check_lm_head(source)

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """With a rate for the prompts of languages and the budget of each; sources in docs/presets.md."""
        rate, steps = (0.02, 100) if preset in ("cldr", "e5") else (5e-3, 3_000)
        recipe = replace(common, language=Phase(steps=self.language_steps or steps, patience=None))
        recipe = recipe.with_roles(**{LANGUAGE_ROLE: Rate(rate)})
        return recipe.with_rates(**{LANGUAGE_ROLE: self.language_learning_rate})

    def language_settings(self) -> Mapping[str, Any]:
        """How long a language's prompt is."""
        return {"vectors": self.language_tokens}

    def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
        """A prompt behind which the frozen encoder guesses hidden words of a language better."""
        frozen, vectors = context.backbone.frozen, self.language_tokens
        loss_before = frozen_loss(frozen, language, texts, context, vectors)
        encoder = PromptedEncoder(frozen, start_of(language, context.backbone, vectors))
        model = MaskedLm(encoder, [encoder.prompt] if vectors else [], positions=vectors)
        try:
            summary = fit_masked_lm(model, language, texts, context, language_phase(context), loss_before)
        finally:
            frozen.eval()
        return LanguageFit({_PROMPT: encoder.prompt.detach().cpu()}, summary)

    def build(self, width: int) -> nn.Module:
        """The prompt of the task."""
        return self.task_method().build(width)

    def roles(self, prompt: nn.Module) -> Roles:
        """As in SPT or XPE."""
        return self.task_method().roles(prompt.task if isinstance(prompt, BesideLanguage) else prompt)

    def new_module(self, context: Context) -> Prompted:
        """That of SPT or XPE of the same seed, with the prompts of languages beside it."""
        module = super().new_module(context)
        if self.per_item:
            module.prompt = BesideLanguage(module.prompt, self._languages(context))
        return module

    def copy_of(self, module: Prompted, context: Context) -> Prompted:
        """A copy with the prompts of the languages of another fit."""
        if not isinstance(module.prompt, BesideLanguage):
            return super().copy_of(module, context)
        prompt = BesideLanguage(deepcopy(module.prompt.task), self._languages(context))
        return Prompted(prompt, deepcopy(module.head), per_item=True)

    def _languages(self, context: Context) -> LanguagePrompts:
        return LanguagePrompts(context.languages, self.swap, context.backbone.device)


@torch.no_grad()
def start_of(language: str, backbone: Backbone, vectors: int) -> Tensor:
    """Input embeddings of `START_TEXT` in this language, repeated and cut to (vectors, prompt width), float32."""
    text = START_TEXT.format(language=language_of(language).name)
    ids = np.resize(backbone.tokenizer(text, add_special_tokens=False)["input_ids"], vectors)
    embedded: Tensor = backbone.frozen.get_input_embeddings()(torch.from_numpy(ids).to(backbone.device))
    return embedded.detach().float().clone()
