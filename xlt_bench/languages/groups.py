"""Groups of languages: the standard ones of a task, and the names that have a meaning of their own.

A group belongs to a (task, backbone) pair: which languages a backbone saw in pre-training is known for some backbones
only. A group that is not known is absent from the mapping and is never guessed. How a user combines groups is said in
`xlt_bench.languages.expressions`.
"""

from __future__ import annotations

from collections.abc import Mapping

from xlt_bench.task import Language

Groups = Mapping[str, frozenset[str]]

ENARZHO = frozenset({"eng_Latn", "arb_Arab", "zho_Hans"})
SOURCE_GROUPS = ("enarzho", "joshi5", "seen", "all")
TARGET_GROUPS = ("all-wo-joshi5", "seen-wo-joshi5", "unseen", "low-performing")
PRETRAINING_GROUPS = ("seen", "unseen", "seen-wo-joshi5", "low-performing")
SOURCES = "sources"
IN_LANGUAGE = "sources (in-language)"


def named_groups(
    languages: Mapping[str, Language],
    *,
    seen: frozenset[str] | None,
    unseen: frozenset[str] | None = None,
    low_performing: frozenset[str] | None,
) -> dict[str, frozenset[str]]:
    """The groups of a task (Mikaberidze et al. 2025), source groups first. None: not known; an empty group is left out.

    `joshi5` is class 5 of Joshi et al. (2020), `enarzho` English, Arabic and Chinese in simplified script, all three.

    Args:
        seen: what the backbone saw in pre-training; codes of other tasks' languages are ignored.
        unseen: what it certainly did not see; None: every language that is not in `seen`.
    """
    everything = frozenset(languages)
    joshi5 = frozenset(code for code, language in languages.items() if language.joshi == 5)
    if seen is not None:
        seen = everything & seen
        unseen = everything - seen if unseen is None else everything & unseen
    groups: dict[str, frozenset[str] | None] = {
        "enarzho": ENARZHO if everything >= ENARZHO else None,
        "joshi5": joshi5,
        "seen": seen,
        "all": everything,
        "all-wo-joshi5": everything - joshi5,
        "seen-wo-joshi5": None if seen is None else seen - joshi5,
        "unseen": unseen,
        "low-performing": low_performing,
    }
    return {name: members for name, members in groups.items() if members}
