"""The training of an encoder on one language's unlabelled text, with all that changes while it goes on."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import DivergedError
from xlt_bench.method import Activity, Context, Snapshot
from xlt_bench.recipe import LANGUAGE_ROLE, Phase
from xlt_bench.training.masked_lm import HeldOut, MaskedLm
from xlt_bench.training.masking import MaskedTexts, Masking, guessing_loss
from xlt_bench.training.optimisation import make_optimiser, make_schedule
from xlt_bench.training.order import batch_order
from xlt_bench.training.seeding import RandomStream
from xlt_bench.training.snapshots import Stepper, part, prefixed

_EVALUATIONS = 10
_CLIP_NORM = 1.0
"""As transformers' Trainer has it by default, whose AdamW and linear schedule are used too: in it language adapters and
sparse differences were published."""

_PARAMETER, _LOWEST, _MASKS = "parameter.", "lowest.", "masks"


class LanguageTraining:
    """Steps and evaluations of one language; what checkpoints see of it is `Resumable`.

    Args:
        model: with parameters to train.
        language: code.
        tokens: of all texts.
        items: how many of them, the first ones, are trained on.
        held_out: the others.
        context: of the fit; masks, order and dropout follow from its seed.
        phase: the budget.
        start_loss: on the held-out texts; where it is no number, the last weights are those of the end.

    Attributes:
        progress: steps done and to be done.
        lowest_loss: of all evaluations.
        selected_step: that of the lowest loss.
    """

    failed = False  # who diverges raises

    def __init__(
        self,
        model: MaskedLm,
        language: str,
        tokens: Tokenised,
        items: int,
        held_out: HeldOut,
        context: Context,
        phase: Phase,
        start_loss: float,
    ) -> None:
        recipe = replace(context.recipe, optimiser="adamw", schedule="linear")
        self.context = context
        self.title = f"language {language}"
        self._model, self._tokens, self._held_out, self._start_loss = model, tokens, held_out, start_loss
        self._step, self._evaluated, self._total = 0, 0, phase.total_steps(items, recipe.batch_size)
        self._interval = -(-self._total // _EVALUATIONS)
        optimiser = make_optimiser({LANGUAGE_ROLE: model.parameters}, recipe)
        schedule = make_schedule(optimiser, recipe, phase, self._total)
        self._stepper = Stepper(optimiser, schedule, RandomStream(context.seed, context.backbone.device))
        self._order = batch_order(tokens.lengths[:items], recipe.batch_size, context.seed)
        self._masking = Masking(context.backbone.tokenizer)
        self._generator = torch.Generator().manual_seed(context.seed)
        self.lowest_loss, self.selected_step, self._weights = math.inf, 0, self._copies()

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and to be done."""
        return self._step, self._total

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained."""
        return list(self._model.parameters)

    @property
    def due(self) -> bool:
        """Whether the held-out texts are to be scored before the next step."""
        return self._step > self._evaluated and (self._step % self._interval == 0 or self._step >= self._total)

    @property
    def finished(self) -> bool:
        """Whether the last step is scored."""
        return self._evaluated >= self._total

    def step(self) -> None:
        """One optimiser step on the next batch."""
        self._model.encoder.train()
        masked = self._masking(self._tokens.batch(next(self._order)), self._generator)
        with self._stepper.stream:
            self._loss(masked).backward()
        nn.utils.clip_grad_norm_(self._model.parameters, _CLIP_NORM)
        self._stepper.optimiser.step()
        self._stepper.schedule.step()
        self._stepper.optimiser.zero_grad()
        self._step += 1

    def evaluate(self) -> None:
        """Score the held-out texts, and take note of the weights if they are the best; not where it is interrupted.

        Raises:
            DivergedError: the loss is no longer finite.
        """
        self.context.progress.activity(Activity("training", self.title, self._step, self._total, "step"))
        loss = self._held_out.loss_unless(self._model, self._interrupted)
        if loss is None:
            return
        self._evaluated = self._step
        if not math.isfinite(loss) and math.isfinite(self._start_loss):
            raise DivergedError(f"the loss of {self.title} became {loss} at step {self._step}; try a lower rate for it")
        if loss < self.lowest_loss or not math.isfinite(self._start_loss):
            self.lowest_loss, self._weights, self.selected_step = loss, self._copies(), self._step

    def close(self) -> None:
        """Put in the weights of the lowest loss."""
        for parameter, value in zip(self._model.parameters, self._weights, strict=True):
            parameter.data.copy_(value)
        self._model.encoder.eval()

    def snapshot(self) -> Snapshot:
        """The state between two steps, and of the global generators; tensors are not copied."""
        steps = self._stepper.snapshot()
        tensors = {
            **steps.tensors,
            **prefixed(_PARAMETER, _numbered(self.parameters)),
            **prefixed(_LOWEST, _numbered(self._weights)),
            _MASKS: self._generator.get_state(),
        }
        plain = {
            **steps.plain,
            "step": self._step,
            "evaluated": self._evaluated,
            "lowest_loss": self.lowest_loss,
            "selected_step": self.selected_step,
        }
        return Snapshot(tensors, plain)

    def accepts(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of such a training: the same trained tensors, of the same shapes."""
        shapes = {name: tensor.shape for name, tensor in _numbered(self.parameters).items()}
        return shapes == {name: tensor.shape for name, tensor in part(snapshot, _PARAMETER).items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Set a new training, and the global generators, to what they were."""
        plain, weights, lowest = snapshot.plain, part(snapshot, _PARAMETER), part(snapshot, _LOWEST)
        for number, parameter in enumerate(self._model.parameters):
            parameter.data.copy_(weights[str(number)])
            self._weights[number].copy_(lowest[str(number)])
        self._step, self._evaluated = plain["step"], plain["evaluated"]
        self.lowest_loss, self.selected_step = plain["lowest_loss"], plain["selected_step"]
        for _ in range(self._step):
            next(self._order)
        self._generator.set_state(snapshot.tensors[_MASKS])
        self._stepper.restore(snapshot)

    def _loss(self, masked: MaskedTexts) -> Tensor:
        model = self._model
        loss = guessing_loss(self.context.backbone, model.encoder, masked, model.output)
        loss = loss / max(int(masked.chosen.sum()), 1)
        return loss if model.penalty is None else loss + model.penalty()

    def _interrupted(self) -> bool:
        checkpoints = self.context.checkpoints
        return checkpoints is not None and checkpoints.stop_signals.requested

    def _copies(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self._model.parameters]


def _numbered(tensors: list[Tensor]) -> dict[str, Tensor]:
    return {str(number): tensor.detach() for number, tensor in enumerate(tensors)}
