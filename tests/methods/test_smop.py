"""SMoP: one prompt is SPT, the router against its closed form, and usage of prompts in the Record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, loud, same
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Reporting
from xlt_bench.methods.smop import RoutedPrompts, SMoP
from xlt_bench.methods.spt import SPT
from xlt_bench.records.store import Store
from xlt_bench.training.prompted import PromptedTexts


class AlwaysRouted(SMoP):
    """Routes between prompts even where there is only one."""

    @property
    def per_item(self) -> bool:
        return True


def texts_like(rows: int, width: int) -> PromptedTexts:
    random = torch.Generator().manual_seed(3)
    mask = (torch.arange(6) < torch.randint(1, 7, (rows, 1), generator=random)).float()
    return PromptedTexts(torch.randn(rows, 6, width, generator=random), mask, ("eng_Latn",) * rows)


def router_of(prompts: int, noise: float = 1.0) -> RoutedPrompts:
    torch.manual_seed(0)
    return RoutedPrompts(prompts, vectors=3, width=8, noise=noise)


def test_one_prompt_is_spt_of_that_length_bit_for_bit(tiny_backbone_with_dropout: Backbone) -> None:
    given = context(tiny_backbone_with_dropout)
    routed, standard = (method.fit(TRAIN, DEV, given) for method in (SMoP(prompts=1, n_tokens=7), SPT(n_tokens=7)))
    assert same(copied(routed.module), copied(standard.module))
    assert routed.summary == standard.summary
    np.testing.assert_array_equal(routed.predict(TEST.examples), standard.predict(TEST.examples))


def test_a_router_with_one_prompt_gives_it_the_whole_weight(tiny_backbone: Backbone) -> None:
    """The same through the router: its share is 1, so prompt and head get the updates of SPT."""
    given = context(tiny_backbone)
    routed, standard = (
        copied(method.fit(TRAIN, DEV, given).module)
        for method in (AlwaysRouted(prompts=1, n_tokens=7), SPT(n_tokens=7))
    )
    routed["prompt.weight"] = routed["prompt.weight"].squeeze(0)
    del routed["prompt.router.weight"]
    assert difference(routed, standard) < 1e-5


def test_the_prompt_of_a_text_is_the_closed_form() -> None:
    router, texts = router_of(4).eval(), texts_like(50, 8)
    means = np.stack([words[: int(n)].mean(0) for words, n in zip(texts.words.numpy(), texts.mask.sum(1), strict=True)])
    weight = router.router.weight.detach().numpy()
    exponentials = np.exp(means @ weight.T)
    shares = exponentials / exponentials.sum(1, keepdims=True)
    chosen = shares.argmax(1)
    expected = shares.max(1)[:, None, None] * router.weight.detach().numpy()[chosen]
    assert len(set(chosen)) == 4
    np.testing.assert_allclose(weight @ weight.T, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(router(texts).detach().numpy(), expected, atol=1e-6)


def test_the_router_learns_through_the_share_and_other_prompts_do_not() -> None:
    router, texts = router_of(4).eval(), texts_like(1, 8)
    chosen = int(router.shares(texts).argmax())
    router(texts).sum().backward()
    share = router.shares(texts)[0].detach()
    mean = ((texts.words * texts.mask.unsqueeze(-1)).sum(1) / texts.mask.sum(1))[0]
    slope = share[chosen] * ((torch.arange(4) == chosen).float() - share) * router.weight[chosen].sum().detach()
    torch.testing.assert_close(router.router.weight.grad, slope[:, None] * mean)
    untouched = [number for number in range(4) if number != chosen]
    assert router.weight.grad is not None
    assert not router.weight.grad[untouched].any()
    torch.testing.assert_close(router.weight.grad[chosen], share[chosen].expand(3, 8))


def test_noise_scales_with_the_logits_and_is_off_when_predicting() -> None:
    router, texts = router_of(4).train(), texts_like(20_000, 8)
    plain = router_of(4, noise=0.0).train()
    logits = plain.shares(texts).log()
    noisy = router.shares(texts).log()
    raw = plain.router((texts.words * texts.mask.unsqueeze(-1)).sum(1) / texts.mask.sum(1, keepdim=True))
    pairwise = (noisy - logits)[:, 0] - (noisy - logits)[:, 1]  # softmax leaves differences of logits
    relative = (pairwise / raw[:, :2].square().sum(1).sqrt()).detach()
    assert float(relative.std()) == pytest.approx(1.0, abs=0.02)
    assert float(relative.mean()) == pytest.approx(0.0, abs=0.03)
    torch.testing.assert_close(router.eval().shares(texts), plain.shares(texts))


def test_prompts_are_trained_by_the_texts_that_are_routed_to_them(tiny_backbone: Backbone) -> None:
    fitted = SMoP().fit(TRAIN, DEV, context(tiny_backbone, loud(steps=30)))
    assert isinstance(fitted, Reporting)
    (shares,) = fitted.report(TEST.examples)["prompt_usage"].values()
    alone = [fitted.report([example])["prompt_usage"]["eng_Latn"] for example in TEST.examples]
    np.testing.assert_allclose(shares, np.mean(alone, 0), atol=1e-6)
    assert sum(shares) == pytest.approx(1.0)


def test_usage_of_prompts_stands_in_the_record_by_language(run: Command) -> None:
    said = run("-m", "smop", "--targets", "kat_Geor,tha_Thai", "--seeds", "1", "--steps", "4")
    assert said.code == 0, said.err
    (record,) = Store(Path("xlt-results")).records()[0]
    usage = record.fit["report"]["prompt_usage"]
    assert set(usage) == {"kat_Geor", "tha_Thai"}
    for shares in usage.values():
        assert len(shares) == 4
        assert sum(shares) == pytest.approx(1.0)
        assert all(share * 12 == pytest.approx(round(share * 12), abs=1e-4) for share in shares), "of 12 test items"


def test_a_method_without_a_report_has_none_in_its_record(run: Command) -> None:
    assert run("-m", "spt", "--targets", "kat_Geor", "--seeds", "1", "--steps", "2").code == 0
    (record,) = Store(Path("xlt-results")).records()[0]
    assert "report" not in record.fit


def test_numbers_of_parameters_on_xlm_r_large() -> None:
    assert sum(parameter.numel() for parameter in SMoP().build(1024).parameters()) == 4 * 5 * 1024 + 4 * 1024


@pytest.mark.parametrize("settings", [{"prompts": 0}, {"n_tokens": 0}, {"noise": -0.5}])
def test_what_cannot_be_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="smop needs prompts and n_tokens of at least 1 and noise >= 0"):
        SMoP(**settings)  # type: ignore[arg-type]
