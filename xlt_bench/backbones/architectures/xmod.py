"""X-MOD: an XLM-R with modules of each pre-training language. A text goes through those of its own language.

A language without modules is refused, unless `default_language` of config.json names the modules that such texts go
through: the folder's hash, and so the identity of a run, tells which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xlt_bench.backbones.architectures.base import Architecture, free_positions, head_dropout, initializer_range
from xlt_bench.backbones.architectures.encoders import EncoderType, first_position, segments
from xlt_bench.errors import ConfigError, MethodError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig

_CODES = """
    af afr_Latn, am amh_Ethi, ar arb_Arab, az azj_Latn, be bel_Cyrl, bg bul_Cyrl, bn ben_Beng, ca cat_Latn, cs ces_Latn,
    cy cym_Latn, da dan_Latn, de deu_Latn, el ell_Grek, en eng_Latn, eo epo_Latn, es spa_Latn, et est_Latn, eu eus_Latn,
    fa pes_Arab, fi fin_Latn, fr fra_Latn, ga gle_Latn, gl glg_Latn, gu guj_Gujr, ha hau_Latn, he heb_Hebr, hi hin_Deva,
    hr hrv_Latn, hu hun_Latn, hy hye_Armn, id ind_Latn, is isl_Latn, it ita_Latn, ja jpn_Jpan, ka kat_Geor, kk kaz_Cyrl,
    km khm_Khmr, kn kan_Knda, ko kor_Hang, ku kmr_Latn, ky kir_Cyrl, la lat_Latn, lo lao_Laoo, lt lit_Latn, lv lvs_Latn,
    mk mkd_Cyrl, ml mal_Mlym, mn khk_Cyrl, mr mar_Deva, ms zsm_Latn, my mya_Mymr, ne npi_Deva, nl nld_Latn, no nob_Latn,
    or ory_Orya, pa pan_Guru, pl pol_Latn, ps pbt_Arab, pt por_Latn, ro ron_Latn, ru rus_Cyrl, sa san_Deva, si sin_Sinh,
    sk slk_Latn, sl slv_Latn, so som_Latn, sq als_Latn, sr srp_Cyrl, sv swe_Latn, sw swh_Latn, ta tam_Taml, te tel_Telu,
    th tha_Thai, tl tgl_Latn, tr tur_Latn, uk ukr_Cyrl, ur urd_Arab, uz uzn_Latn, vi vie_Latn, zh_CN zho_Hans,
    zh_TW zho_Hant
"""
CODES = MappingProxyType(dict(pair.split() for pair in _CODES.split(",")))
"""The language of modules by their name: a whole locale, or its language alone."""


@dataclass(frozen=True)
class Xmod(Architecture):
    """An encoder whose texts go through modules of their language.

    Attributes:
        modules: languages as the model names them, in its order.
        default_module: of languages that have none; None: they are refused.
    """

    modules: tuple[str, ...] = ()
    default_module: str | None = None

    def check_languages(self, codes: Iterable[str]) -> str:
        """See `Architecture.check_languages`."""
        missing = [code for code in codes if code not in self._numbers()]
        if not missing:
            return ""
        listed = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        if self.default_module is None:
            raise ConfigError(
                f"the backbone has no modules for {listed}; leave these languages out, or name in default_language of "
                "its config.json the language whose modules they are to go through"
            )
        return f"The backbone has no modules for {listed}: these go through those of {self.default_module}."

    def modules_of(self, codes: Sequence[str]) -> NDArray[np.int64]:
        """See `Architecture.modules_of`."""
        numbers = self._numbers()
        if self.default_module is None:
            self.check_languages(dict.fromkeys(codes))
            return np.asarray([numbers[code] for code in codes], np.int64)
        default = self.modules.index(self.default_module)
        return np.asarray([numbers.get(code, default) for code in codes], np.int64)

    def arguments(self, mask: Tensor, modules: Tensor | None) -> dict[str, Any]:
        """The number of each text's modules.

        Raises:
            MethodError: they are not given.
        """
        if modules is None:
            raise MethodError(
                "this backbone has modules by language, and the batch does not tell the languages of its texts; "
                "tokenise them with xlt_bench.training.data.tokenise, and pass modules=batch.modules"
            )
        return {"lang_ids": modules.to(mask.device)}

    def _numbers(self) -> dict[str, int]:
        """Number of the modules by language code."""
        names = enumerate(self.modules)
        return {CODES.get(name, CODES.get(name.partition("_")[0], name)): number for number, name in names}


def xmod(config: PreTrainedConfig) -> Architecture:
    """The architecture of an X-MOD.

    Raises:
        ConfigError: its default language has no modules.
    """
    languages, default = tuple(map(str, config.languages)), config.default_language
    if default is not None and default not in languages:
        listed = ", ".join(languages[:8]) + (", ..." if len(languages) > 8 else "")
        raise ConfigError(
            f"its config.json names the default_language '{default}', which has no modules; "
            f"set it to null, or to one of its languages: {listed}"
        )
    return Xmod(
        model_type=config.model_type,
        prompt_width=int(config.hidden_size),
        head_width=int(config.hidden_size),
        positions=free_positions(config, first_position(config, EncoderType(first_position="after padding"))),
        segments=segments(config),
        embedding_rows=int(config.vocab_size),
        dropout=head_dropout(config),
        initializer_range=initializer_range(config),
        has_our_head=True,
        modules=languages,
        default_module=default,
    )
