"""SMoP, a sparse mixture of prompts (Choi et al., EMNLP 2023): a router picks one of several short prompts per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from xlt_bench.backbones.batches import tokens_at_once
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary
from xlt_bench.methods.spt import StandardPrompt
from xlt_bench.task import Example
from xlt_bench.training.data import origin_of, text_limit, tokenise
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted, PromptedTexts, texts_of
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

PROMPT_USAGE = "prompt_usage"


class RoutedPrompts(nn.Module):
    """A table of k prompts, (k, n, d), and a linear router without bias, from d to k.

    Of each text the prompt with the greatest share is taken, times its share: through that factor the router learns.
    """

    def __init__(self, prompts: int, vectors: int, width: int, noise: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(prompts, vectors, width))
        self.router = nn.Linear(width, prompts, bias=False)
        nn.init.orthogonal_(self.router.weight)
        self.noise = noise

    def shares(self, texts: PromptedTexts) -> Tensor:
        """Softmax of the router on the mean input embedding of each text's tokens, (rows, k)."""
        mask = texts.mask.unsqueeze(-1)
        logits: Tensor = self.router((texts.words * mask).sum(1) / mask.sum(1))
        if self.training and self.noise:
            logits = logits + self.noise * torch.randn_like(logits) * logits.detach()
        return logits.softmax(1)

    def forward(self, texts: PromptedTexts) -> Tensor:
        """One prompt a row, (rows, n, d)."""
        share, number = self.shares(texts).max(1)
        return share[:, None, None] * self.weight[number]


@dataclass(frozen=True, kw_only=True)
class SMoP(SoftPrompt):
    """Short prompts and a router between them.

    Args:
        prompts: how many prompts; with one there is nothing to route, and the method is SPT.
        n_tokens: vectors of each prompt.
        noise: standard deviation, while fitting, of the noise on the router's logits, as a share of each logit.
    """

    prompts: int = 4
    n_tokens: int = 5
    noise: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.prompts, self.n_tokens) < 1 or self.noise < 0.0:
            raise ConfigError(
                "smop needs prompts and n_tokens of at least 1 and noise >= 0, "
                f"not prompts={self.prompts}, n_tokens={self.n_tokens}, noise={self.noise}"
            )

    @property
    def per_item(self) -> bool:
        """Whether there is something to route."""
        return self.prompts > 1

    def build(self, width: int) -> nn.Module:
        """The prompts and their router; a single prompt alone."""
        if not self.per_item:
            return StandardPrompt(self.n_tokens, width)
        return RoutedPrompts(self.prompts, self.n_tokens, width, self.noise)

    def roles(self, prompt: nn.Module) -> Roles:
        """All of it, the router too, is the prompt."""
        return {"prompt": prompt.parameters()}

    def fitted(self, module: Prompted, context: Context, summary: FitSummary) -> FittedPrompt:
        """One that reports which prompts were taken."""
        kind = FittedRouter if self.per_item else FittedPrompt
        return kind(self, module, context, summary)


class FittedRouter(FittedPrompt):
    """Trained prompts and router."""

    @torch.no_grad()
    def report(self, examples: Sequence[Example]) -> Mapping[str, Mapping[str, list[float]]]:
        """`prompt_usage`: by language, the share of its texts that each prompt is taken for."""
        backbone, recipe, router = self.context.backbone, self.context.recipe, self.module.prompt
        assert isinstance(router, RoutedPrompts)
        texts = tokenise(examples, backbone, recipe, text_limit(backbone, recipe, self.vectors))
        origin = origin_of(examples, len(examples))
        counts = torch.zeros(len(origin.languages), len(router.weight))
        for index in texts.sorted_batches(0, tokens_at_once(backbone.device)):
            rows = origin.take(torch.from_numpy(index))
            chosen = router.shares(texts_of(replace(texts.batch(index), origin=rows), backbone)).argmax(1).cpu()
            counts.index_put_((rows.language, chosen), torch.ones(len(index)), accumulate=True)
        shares = counts / counts.sum(1, keepdim=True)
        return {PROMPT_USAGE: {code: shares[row].tolist() for row, code in enumerate(origin.languages)}}
