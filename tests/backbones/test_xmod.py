"""X-MOD: every text goes through the modules of its own language; one without modules is refused or falls back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from tests.support.architectures import tiny_model
from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, context, short, unfitted
from xlt_bench.backbones.architectures.xmod import CODES, Xmod
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.languages.table import known_languages
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.linear_probe import LinearProbe
from xlt_bench.methods.spt import SPT
from xlt_bench.task import Example, Labelled

LANGUAGES = ("eng_Latn", "deu_Latn")


def xmod(folder: Path, **changes: Any) -> Backbone:
    """With modules of English and German, and none for others unless changed."""
    return Backbone(
        locate(
            str(
                tiny_model(
                    folder / "model", "xmod", {"languages": ["en_XX", "de_DE"], "default_language": None, **changes}
                )
            )
        )
    )


def mixed(part: Labelled) -> Labelled:
    """The items in the two languages in turn."""
    examples = [example._replace(language=LANGUAGES[row % 2]) for row, example in enumerate(part.examples)]
    return Labelled(tuple(examples), part.gold)


def in_language(examples: tuple[Example, ...], code: str) -> list[Example]:
    return [example._replace(language=code) for example in examples]


@torch.no_grad()
def test_the_state_that_is_read_is_that_of_transformers_with_the_items_language(tmp_path: Path) -> None:
    backbone = xmod(tmp_path)
    fitted = unfitted(SPT(n_tokens=4), backbone)
    model: Any = AutoModel.from_pretrained(backbone.source.folder, dtype=torch.float32).eval()
    examples = mixed(TEST).examples[:12]
    expected = []
    for example in examples:
        ids = backbone.tokenizer(example.text, return_tensors="pt", return_token_type_ids=False)["input_ids"]
        embeddings = torch.cat([fitted.prompt[None], model.get_input_embeddings()(ids)], 1)  # type: ignore[index]
        lang_ids = torch.tensor([LANGUAGES.index(example.language)])
        states = model(inputs_embeds=embeddings, lang_ids=lang_ids).last_hidden_state
        expected.append(fitted.module.head(states[:, 0])[0].numpy())
    np.testing.assert_allclose(fitted.predict(examples), np.stack(expected), atol=1e-5)
    english, german = (fitted.predict(in_language(examples, code)) for code in LANGUAGES)
    assert np.abs(english - german).max() > 1e-2, "the modules differ"


@pytest.mark.parametrize("method", [SPT(n_tokens=3), FullFinetuning(), LinearProbe()], ids=lambda m: type(m).__name__)
def test_seeds_and_languages_are_fitted_and_predicted_together_as_alone(method: Any, tmp_path: Path) -> None:
    backbone = xmod(tmp_path)
    given = context(backbone, short("cldr", steps=4, evaluate_every=4))
    fitted = method.fit(mixed(TRAIN), mixed(DEV), given)
    examples = mixed(TEST).examples
    together = fitted.predict(examples)
    for offset, code in enumerate(LANGUAGES):
        alone = fitted.predict([example for example in examples if example.language == code])
        np.testing.assert_allclose(together[offset::2], alone, atol=1e-5)
    if isinstance(method, SPT):
        packed = method.fit_many(mixed(TRAIN), mixed(DEV), [given, context(backbone, given.recipe, seed=2)])
        np.testing.assert_allclose(packed[0].predict(examples), together, atol=1e-4)


def test_a_language_without_modules_is_refused_by_name_before_anything_runs(run: Command, tmp_path: Path) -> None:
    folder = xmod(tmp_path).source.folder
    refused = run("-m", "spt", "--backbone", folder, "--targets", "kat_Geor,tha_Thai", "--steps", "1", "--seeds", "1")
    assert refused.code == 2
    message = " ".join(refused.err.split())
    assert "the backbone has no modules for fra_Latn, kat_Geor, tha_Thai; leave these languages out, or" in message
    assert not Path("xlt-results").exists()


def test_a_declared_fallback_is_used_and_told(tmp_path: Path) -> None:
    backbone = xmod(tmp_path, default_language="de_DE")
    fitted = unfitted(SPT(n_tokens=4), backbone)
    german, thai = (fitted.predict(in_language(TEST.examples, code)) for code in ("deu_Latn", "tha_Thai"))
    np.testing.assert_array_equal(german, thai)
    note = backbone.architecture.check_languages(["eng_Latn", "tha_Thai"])
    assert note == "The backbone has no modules for tha_Thai: these go through those of de_DE."
    assert backbone.architecture.check_languages(LANGUAGES) == ""
    assert backbone.source.fingerprint != xmod(tmp_path / "other").source.fingerprint


def test_unknown_languages_of_items_are_refused_when_tokenised_too(tmp_path: Path) -> None:
    fitted = unfitted(SPT(n_tokens=4), xmod(tmp_path))
    with pytest.raises(ConfigError, match="no modules for tha_Thai"):
        fitted.predict(in_language(TEST.examples[:2], "tha_Thai"))


def test_texts_whose_language_nobody_tells_are_refused(tmp_path: Path) -> None:
    backbone = xmod(tmp_path)
    batch = backbone.tokenise([("red", None)], 8).batch([0])
    with pytest.raises(MethodError, match=r"tokenise them with xlt_bench.training.data.tokenise"):
        backbone.hidden(torch.zeros(1, 2, backbone.architecture.prompt_width), batch, "first")


def test_names_of_modules_are_codes_by_locale_by_language_or_as_they_are() -> None:
    assert len(CODES) == 81
    listed = {name: known_languages()[code].aliases for name, code in CODES.items() if code in known_languages()}
    assert set(CODES) - set(listed) == {"la"}
    differing = [name for name, aliases in listed.items() if name.partition("_")[0] not in aliases]
    assert differing == ["sa", "zh_TW"], "the table gives no alias, or zh-Hant"
    names = ("en_XX", "zh_TW", "xx_YY", "aaa_Latn", "de_DE")
    architecture = Xmod("xmod", 4, 4, 8, 0, 9, 0.0, 0.02, True, modules=names)
    codes = ["deu_Latn", "zho_Hant", "aaa_Latn", "eng_Latn"]
    assert architecture.modules_of(codes).tolist() == [4, 1, 3, 0]
