"""Checks of what a fit trains, and of what it must leave alone."""

from __future__ import annotations

import gc
import operator
import warnings
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.calls import skipped_if_a_call_fails
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.toy import LEARNING_STEPS
from xlt_bench.method import Adaptable, FitSummary

_LEARNED = 0.5
"""Accuracy on the toy task, whose seven classes are equally frequent: far above chance, far below what is possible."""

_FITS = 4
"""Fits that memory is compared over. A few objects come and go; what every fit leaves behind adds up."""


def learns_a_separable_task(bench: Bench) -> None:
    """On a task in which one word tells the class, most texts are answered rightly."""
    examples, gold = bench.scored()
    scores = bench.predict(bench.fitted, examples)
    if not getattr(bench.method, "reads_text", True):
        if len(np.unique(scores, axis=0)) > 1:
            raise CheckFailed("its class says reads_text = False, but the scores differ between texts")
        raise CheckSkipped("its class says reads_text = False, and every text gets the same scores")
    right = float((scores.argmax(1)[: len(gold)] == gold[: len(scores)]).mean())
    if right < _LEARNED:
        raise CheckFailed(
            f"after {LEARNING_STEPS} steps {right:.0%} of the texts are answered rightly; chance is "
            f"{1 / len(bench.toy.labels):.0%}, and {_LEARNED:.0%} the least that is asked for; "
            "do all parameters get trained?"
        )


def trainable_parameters_are_true(bench: Bench) -> None:
    """The summary's trainable_parameters is how many numbers were trained."""
    fitted, trained = bench.watched.fitted, bench.watched.trained
    if not isinstance(fitted.summary, FitSummary):
        raise CheckSkipped("there is no FitSummary; see follows_the_protocol")
    declared = int(fitted.summary.trainable_parameters)
    counted = sum(entry.parameter.numel() for entry in trained)
    if trained and declared != counted:
        raise CheckFailed(f"the summary says {declared} trainable parameters; optimisers trained {counted}")
    if not trained:
        with skipped_if_a_call_fails("loads_the_same_elsewhere"):
            saved = sum(tensor.numel() for tensor in tensors(bench.save(fitted)).values())
        if not saved and declared:
            raise CheckSkipped("no torch optimiser ran and no safetensors are saved: there is nothing to count")
        if saved and not declared and getattr(bench.method, "reads_text", True):
            raise CheckFailed(f"the summary says that no number was fitted, but {saved} numbers are saved")
        if declared > saved:
            raise CheckFailed(f"the summary says {declared} trainable parameters, but only {saved} numbers are saved")


def head_is_trained_and_saved(bench: Bench) -> None:
    """The classification head on a backbone changes while fitting, and the saved files hold it as it became."""
    _needs_backbone(bench)
    if getattr(bench.method, "fills_mask", False):
        raise CheckSkipped("its class says fills_mask = True: classes are read off the backbone's own head")
    fitted, trained = bench.watched.fitted, bench.watched.trained
    if not trained:
        raise CheckSkipped("no torch optimiser ran, so there is no head that one trains")
    head = [entry for entry in trained if len(bench.toy.labels) in entry.parameter.shape and entry.changed]
    if not head:
        raise CheckFailed(
            f"no trained parameter has the dimension of the {len(bench.toy.labels)} classes: the head stays random"
        )
    with skipped_if_a_call_fails("loads_the_same_elsewhere"):
        saved = list(tensors(bench.save(fitted)).values())
    for entry in head:
        if not any(entry.had(tensor) for tensor in saved):
            raise CheckFailed(f"the trained head, shape {tuple(entry.parameter.shape)}, is not in the saved files")


def tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor in the safetensors files of a folder."""
    return {
        f"{file.name}:{name}": tensor
        for file in sorted(folder.rglob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def backbone_stays_frozen(bench: Bench) -> None:
    """The shared backbone is bit-identical throughout, and afterwards in eval mode, without gradients or hooks."""
    _needs_backbone(bench)
    if bench.watched.disturbed:
        raise CheckFailed(
            "texts go through the shared backbone while its weights are others; train context.backbone.fresh_encoder()"
        )
    backbone = bench.backbone()
    weights_hash, hooks = backbone.weights_hash(), _hooks(backbone)
    fitted = bench.fit(context=bench.context(backbone=backbone))
    if isinstance(fitted, Adaptable):
        with skipped_if_a_call_fails("adapt_leaves_the_source_fit"):
            bench.adapt(fitted, backbone)
    bench.predict(fitted, bench.probes)
    if backbone.weights_hash() != weights_hash:
        raise CheckFailed(
            "the shared backbone's weights are others than before; train context.backbone.fresh_encoder()"
        )
    if _hooks(backbone) != hooks:
        raise CheckFailed("hooks are left on the shared backbone; remove them after use")
    if any(p.requires_grad or p.grad is not None for p in backbone.shared.parameters()):
        raise CheckFailed("the shared backbone's parameters are left with gradients switched on")
    if backbone.shared.training:
        raise CheckFailed("the shared backbone is left in train mode, so its dropout stays on")


def _needs_backbone(bench: Bench) -> None:
    if not bench.method.uses_backbone:
        raise CheckSkipped("the method uses no backbone")


def _hooks(backbone: Backbone) -> int:
    parts = backbone.shared.modules()
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) + len(part._backward_hooks) for part in parts)


def a_second_fit_grows_nothing(bench: Bench) -> None:
    """When a fitted object is let go its memory is: fit after fit, no more objects and arrays are alive."""
    backbone = bench.backbone() if bench.method.uses_backbone else None

    def fit_and_forget(seed: int) -> None:
        context = bench.context(seed, steps=2, backbone=backbone)
        bench.predict(bench.fit(context=context), bench.probes[:7])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest, for one, keeps every warning
        fit_and_forget(0)  # may fill caches
        counts = _alive()
        for seed in range(1, 1 + _FITS):
            fit_and_forget(seed)
        later_counts = _alive()
    for kind, was, now in zip(("objects", "references to numpy arrays"), counts, later_counts, strict=True):
        if now - was >= 2 * _FITS:
            raise CheckFailed(f"{_FITS} more fits leave {now - was} {kind} behind; what holds them? A cache, a list?")


def _alive() -> tuple[int, int]:
    """Live objects that refer to others (tensors are among them), and how often they refer to an array."""
    gc.collect()
    objects = gc.get_objects()
    return len(objects), operator.countOf(map(type, gc.get_referents(*objects)), np.ndarray)
