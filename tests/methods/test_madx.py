"""MAD-X against the library `adapters`, and what its language stage sees, stores and shares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaModel

from tests.support.commands import Command
from xlt_bench.backbones.lm_head import LmHead
from xlt_bench.conformance.bench import Bench
from xlt_bench.errors import ConfigError
from xlt_bench.methods.madx import MadX, closest
from xlt_bench.plugins.methods import recipe_of
from xlt_bench.training.bottleneck import AdaptedEncoder, Bottleneck, Coupling, LanguageAdapter, weighted_sum

ARRAYS = Path(__file__).parent / "adapters-1.3.0.safetensors"
"""Made by scripts/adapters_reference.py."""
WIDTH, LAYERS = 16, 2
LIMIT = 1e-5


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    return load_file(ARRAYS)


def below(arrays: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def config() -> XLMRobertaConfig:
    return XLMRobertaConfig(
        vocab_size=20,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=12,
        type_vocab_size=1,
        pad_token_id=1,
    )


def encoder(arrays: Mapping[str, Tensor]) -> XLMRobertaModel:
    model = XLMRobertaModel(config(), add_pooling_layer=False)
    missing = model.load_state_dict(below(arrays, "roberta."), strict=False).missing_keys
    assert not [name for name in missing if "position_ids" not in name and "token_type_ids" not in name]
    model.eval()
    return model


def bottleneck(arrays: Mapping[str, Tensor], layer: int, name: str) -> dict[str, Tensor]:
    weights = below(arrays, f"roberta.encoder.layer.{layer}.output.adapters.{name}.")
    return {key.replace("adapter_down.0", "down").replace("adapter_up", "up"): value for key, value in weights.items()}


def task_adapters(arrays: Mapping[str, Tensor]) -> nn.ModuleDict:
    adapters = {str(layer): Bottleneck(WIDTH, 4) for layer in range(LAYERS)}
    for layer, adapter in adapters.items():
        adapter.load_state_dict(bottleneck(arrays, int(layer), "task"))
    return nn.ModuleDict(adapters)


def language_adapter(arrays: Mapping[str, Tensor]) -> LanguageAdapter:
    adapter = LanguageAdapter(WIDTH, range(LAYERS), 2, invertible=True)
    for layer, part in adapter.layers.items():
        part.load_state_dict(bottleneck(arrays, int(layer), "language"))
    coupling = below(arrays, "roberta.invertible_adapters.language.")
    assert adapter.coupling is not None
    adapter.coupling.load_state_dict(
        {re.sub("^F", "first", re.sub("^G", "second", name)): value for name, value in coupling.items()}
    )
    return adapter


@torch.no_grad()
def test_hidden_states_are_those_of_adapters(arrays: dict[str, Tensor]) -> None:
    """Language adapter with its invertible part, and the task adapter on top."""
    adapted = AdaptedEncoder(encoder(arrays), task_adapters(arrays)).eval()
    with adapted.speaking(language_adapter(arrays)):
        states = adapted(input_ids=arrays["ids"], attention_mask=arrays["mask"]).last_hidden_state
    shown = arrays["mask"].bool()
    torch.testing.assert_close(states[shown], arrays["states"][shown], rtol=0, atol=LIMIT)
    without = adapted(input_ids=arrays["ids"], attention_mask=arrays["mask"]).last_hidden_state
    assert float((without - states)[shown].abs().max()) > 0.1, "the language adapter is no longer there"


@torch.no_grad()
def test_logits_of_hidden_words_are_those_of_adapters(arrays: dict[str, Tensor]) -> None:
    """The inverse stands before the output embeddings, behind the head's own layers."""
    model = XLMRobertaForMaskedLM(config())
    head = below(arrays, "heads.language.")
    renamed = {"dense.weight": "0.weight", "dense.bias": "0.bias", "layer_norm.weight": "2.weight"}
    renamed |= {"layer_norm.bias": "2.bias", "bias": "3.bias"}
    model.lm_head.load_state_dict({name: head[theirs] for name, theirs in renamed.items()}, strict=False)
    model.lm_head.decoder.weight.copy_(head["3.weight"])
    model.lm_head.decoder.bias.copy_(head["3.bias"])
    adapted, adapter = AdaptedEncoder(encoder(arrays), nn.ModuleDict()).eval(), language_adapter(arrays)
    with adapted.speaking(adapter):
        states = adapted(input_ids=arrays["ids"], attention_mask=arrays["mask"]).last_hidden_state
    shown = arrays["mask"].bool()
    logits = LmHead(model).eval()(states[shown], adapter.before_words)
    torch.testing.assert_close(logits, arrays["logits"][shown], rtol=0, atol=LIMIT)
    assert float((LmHead(model).eval()(states[shown]) - logits).abs().max()) > 0.1


@torch.no_grad()
def test_the_coupling_is_undone_by_its_inverse() -> None:
    torch.manual_seed(0)
    coupling, states = Coupling(7, 2), torch.randn(3, 5, 7)
    for parameter in coupling.parameters():
        parameter.normal_()
    torch.testing.assert_close(coupling.inverse(coupling(states)), states, rtol=0, atol=1e-5)
    assert float((coupling(states) - states).abs().max()) > 0.1


@torch.no_grad()
def test_adapters_of_zero_are_the_frozen_encoder(arrays: dict[str, Tensor]) -> None:
    """Bit for bit: what an adapter adds is all that it changes."""
    plain = encoder(arrays)
    expected = plain(input_ids=arrays["ids"], attention_mask=arrays["mask"]).last_hidden_state.clone()
    adapter, tasks = language_adapter(arrays), task_adapters(arrays)
    for module in [*adapter.modules(), *tasks.modules()]:
        if isinstance(module, nn.Linear):
            module.weight.zero_()
            module.bias.zero_()
    adapted = AdaptedEncoder(encoder(arrays), tasks).eval()
    with adapted.speaking(adapter):
        states = adapted(input_ids=arrays["ids"], attention_mask=arrays["mask"]).last_hidden_state
    assert torch.equal(states, expected)


def test_arithmetic_is_the_weighted_sum_of_all_weights() -> None:
    first, second = ({"up": torch.tensor([1.0, 2.0])}, {"up": torch.tensor([3.0, 6.0])})
    assert weighted_sum([(0.75, first), (0.25, second)])["up"].tolist() == [1.5, 3.0]
    assert torch.equal(weighted_sum([(1.0, first)])["up"], first["up"])


def test_the_closest_source_is_of_the_same_family_then_script() -> None:
    sources = ("eng_Latn", "arb_Arab", "hin_Deva", "spa_Latn")
    assert closest("npi_Deva", sources) == "hin_Deva", "family and script"
    assert closest("heb_Hebr", sources) == "arb_Arab", "family alone"
    assert closest("quy_Latn", sources) == "eng_Latn", "script alone; the first of equals"


@pytest.mark.parametrize(
    ("method", "needs"),
    [
        (MadX(), {"unlabelled-target"}),
        (MadX(text="folder"), {"unlabelled-folder"}),
        (MadX(combine="arithmetic"), {"unlabelled-target"}),
        (MadX(combine="closest"), set()),
        (MadX(combine="source"), set()),
        (MadX(combine="none", tlr=True), {"unlabelled-target"}),
    ],
)
def test_text_of_targets_is_declared_where_it_is_used(method: MadX, needs: set[str]) -> None:
    assert method.needs == needs


def test_recipe_has_the_language_stage_and_the_options_change_it() -> None:
    recipe = recipe_of(MadX(language_steps=7, language_learning_rate=0.5), "cldr")
    assert recipe.language is not None
    assert (recipe.language.steps, recipe.rate("language").learning_rate) == (7, 0.5)
    assert replace(recipe).from_json(recipe.as_json()) == recipe


def test_values_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"source_share of madx is a share from 0 to 1, not 1\.5"):
        MadX(source_share=1.5)
    with pytest.raises(ConfigError, match="language_steps of madx must be at least 1, and is 0"):
        MadX(language_steps=0)
    with pytest.raises(ConfigError, match="MadX makes batches of its own"):
        MadX(consistency=1.0)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(MadX()) as bench:
        yield bench


def test_each_language_speaks_through_its_own_adapter(bench: Bench) -> None:
    """Equal texts get other scores in another language, by `own`; by `none` they get those of no language."""
    context = bench.context()
    fitted = MadX().fit(bench.train(), bench.dev(), context)
    languages = [*bench.toy.targets, bench.toy.sources[0]]
    texts = {code: [probe._replace(language=code) for probe in bench.probes[:5]] for code in languages}
    scores = {code: torch.from_numpy(fitted.predict(examples)) for code, examples in texts.items()}
    first, second, _ = scores.values()
    assert not torch.equal(first, second)
    mixed = torch.from_numpy(fitted.predict([examples[0] for examples in texts.values()]))
    expected = torch.stack([part[0] for part in scores.values()])
    torch.testing.assert_close(mixed, expected, rtol=0, atol=1e-5)


def test_combinations_agree_where_they_must(bench: Bench) -> None:
    """Arithmetic with the sources' share 1 is `source`, with 0 is `own`; they differ from each other."""
    context, probes = bench.context(), [p._replace(language=bench.toy.targets[0]) for p in bench.probes[:5]]

    def scores(method: MadX) -> Tensor:
        return torch.from_numpy(method.fit(bench.train(), bench.dev(), context).predict(probes))

    own, source = scores(MadX()), scores(MadX(combine="source"))
    assert not torch.equal(own, source)
    assert torch.equal(scores(MadX(combine="arithmetic", source_share=0.0)), own)
    torch.testing.assert_close(scores(MadX(combine="arithmetic", source_share=1.0)), source, rtol=0, atol=1e-5)


def test_target_language_ready_training_takes_the_adapters_of_sources_and_targets_in_turn(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.context()
    speaking = AdaptedEncoder.speaking
    languages: list[str] = []
    by_weights = {tuple(fit.weights["layers.0.up.bias"].tolist()): code for code, fit in context.languages.fits.items()}

    def noting(encoder: AdaptedEncoder, adapter: LanguageAdapter | None) -> AbstractContextManager[None]:
        if encoder.training and adapter is not None:
            languages.append(by_weights[tuple(adapter.state_dict()["layers.0.up.bias"].tolist())])
        return speaking(encoder, adapter)

    monkeypatch.setattr(AdaptedEncoder, "speaking", noting)
    MadX(tlr=True).fit(bench.train(), bench.dev(), context)
    assert set(bench.toy.targets) <= set(languages)
    assert languages == list(islice(cycle(context.languages.fits), len(languages)))


@pytest.mark.parametrize(
    ("method", "sources", "targets", "message"),
    [
        (MadX(tlr=True), ("eng_Latn",), (), "tlr of madx trains with .*; leave tlr out"),
        (MadX(tlr=True), ("eng_Latn",), ("eng_Latn",), "tlr of madx trains with .*; leave tlr out"),
        (MadX(tlr=True), (), (), "tlr of madx trains with .*; leave tlr out"),
        (MadX(combine="closest"), (), (), "combine=closest of madx uses no text .*; use combine=own"),
    ],
)
def test_languages_that_leave_no_adapter_to_take_are_refused(
    method: MadX, sources: tuple[str, ...], targets: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        method.check_languages(sources, targets)
    MadX(tlr=True).check_languages(("eng_Latn",), ("eng_Latn", "kat_Geor"))


@pytest.mark.parametrize("start", [("run", "--protocol", "full"), ("tune", "--trials", "2", "--trial-seeds", "1")])
def test_tlr_is_refused_where_no_target_is_known_before_anything_is_fitted(
    start: tuple[str, ...], command: Command
) -> None:
    options = ("--task", "toy", "--sources", "joshi5", "--targets", "unseen", "--device", "cpu", "--set", "tlr=true")
    said = command(*start, "-m", "madx", *options)
    assert said.code == 2
    assert "tlr of madx trains with the language adapters of targets" in said.err
    assert not Path("xlt-results").exists()
