"""How the stored answers on SIB-200 are read: by the rules of `xlt_bench.prompting.rules`, with its class names."""

from __future__ import annotations

from xlt_bench.prompting.rules import DEFAULT_RULE, RULES, Categories, rule_named
from xlt_bench.tasks.sib200 import LABELS

__all__ = ["DEFAULT_RULE", "RULES", "SIB200", "Categories", "parse", "rule_named"]

SIB200 = Categories(LABELS, {"science": "science/technology", "technology": "science/technology"})
"""Either half of science/technology stands for it."""


def parse(answer: str, rule: str = DEFAULT_RULE, categories: Categories = SIB200) -> str | None:
    """The class that an answer names by a rule, None if it names none.

    Raises:
        ConfigError: no such rule.
    """
    return rule_named(rule).read(answer, categories)
