"""Make `items.tsv` from the installed babel and check `languages.csv`: `python -m scripts.build_cldr`.

For whoever maintains the task. Run with another babel release it makes another task: the list is frozen with the
results that were measured on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from importlib.resources import files
from itertools import product
from pathlib import Path

from babel import localedata

from xlt_bench.task import Split
from xlt_bench.tasks.cldr import BABEL_VERSION, LABELS
from xlt_bench.tasks.cldr.items import PACKAGE, Texts, hash_of, texts_of
from xlt_bench.tasks.cldr.names import ENGLISH, Item, names_of, translated
from xlt_bench.tasks.cldr.split import split_of
from xlt_bench.tasks.tables import read_table

QUOTA: Mapping[Split, int] = {"train": 100, "dev": 14, "test": 30}  # items per class and split
MIN_TEST_ITEMS = 60
MAX_CLASS_SHARE = 0.35
ITEMS_HEADER = (
    f"# Items of task cldr: names in CLDR as babel {BABEL_VERSION} has it (Unicode License v3).",
    "# Made by `python -m scripts.build_cldr`; hash: over the item's texts in all languages.",
    "class\tkey\tsplit\thash",
)

# The languages XLM-R was pre-trained on: Conneau et al. (2020), appendix, Table 6. CLDR's codes: `fil` for its `tl`;
# `nb` and `nn` for its `no`; its romanised and Zawgyi variants have no locale of their own.
_XLMR = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq "
    "sr su sv sw ta te th tr ug uk ur uz vi xh yi zh fil nb nn"
)
XLMR_LOCALES = frozenset(_XLMR.split())


def main() -> None:
    """Write the list of items, after checking that the table of languages is the one it belongs to."""
    if version("babel") != BABEL_VERSION:
        raise SystemExit(f"babel {version('babel')} is installed; first: pip install babel=={BABEL_VERSION}")
    items, locales = select()
    rows = read_table(PACKAGE, "languages.csv")
    faults = table_faults(rows, locales)
    if faults:
        raise SystemExit("languages.csv:\n" + "\n".join(faults))
    texts = texts_of({row["code"]: row["locale"] for row in rows}, items)
    path = Path(str(files(PACKAGE).joinpath("items.tsv")))
    path.write_text(items_table(items, texts), encoding="utf-8", newline="\n")
    print(f"{path.name}: {len(items)} items in {len(texts)} languages, babel {version('babel')}")


def select() -> tuple[list[Item], list[str]]:
    """The items that fill the quota, and the locales with enough of them; only locales of a language as a whole."""
    candidates = [locale for locale in localedata.locale_identifiers() if "_" not in locale]
    english = names_of(ENGLISH)
    names = {locale: _names(locale, english) for locale in candidates}
    items = fill_quota(Counter(item for named in names.values() for item in named))
    texts = texts_of({locale: locale for locale in candidates}, items)
    return items, sorted(locale for locale, texts_of_locale in texts.items() if enough(texts_of_locale))


def fill_quota(coverage: Mapping[Item, int]) -> list[Item]:
    """Per class and split the items that most locales have (ties: by key), ordered by class and key."""
    ranked = sorted(coverage, key=lambda item: (-coverage[item], item))
    cells = product(LABELS, QUOTA.items())
    return sorted(item for label, (split, size) in cells for item in _of_cell(ranked, label, split)[:size])


def enough(names: Iterable[Item]) -> bool:
    """Whether a language can be scored: at least 60 test items, no class above 35% of them."""
    counts = Counter(label for label, key in names if split_of(label, key) == "test")
    total = counts.total()
    return total >= MIN_TEST_ITEMS and max(counts.values()) <= MAX_CLASS_SHARE * total


def table_faults(rows: list[dict[str, str]], locales: Iterable[str]) -> list[str]:
    """What is wrong in the table of languages: locales, codes, the seen flag, or what SIB-200's table says."""
    sib = {row["code"]: row for row in read_table("xlt_bench.tasks.sib200", "languages.csv")}
    listed = Counter(row["locale"] for row in rows)
    faults = [f"{locale}: listed {listed[locale]} times" for locale in locales if listed[locale] != 1]
    faults += [f"{locale}: not selected" for locale in sorted(set(listed) - set(locales))]
    faults += [f"{code}: listed {n} times" for code, n in Counter(row["code"] for row in rows).items() if n > 1]
    faults += [f"{row['code']}: seen is not {_seen(row)}" for row in rows if row["seen"] != _seen(row)]
    faults += [f"{row['code']}: script is not in the code" for row in rows if not row["code"].endswith(row["script"])]
    faults += [fault for row in rows if row["code"] in sib for fault in _differences(row, sib[row["code"]])]
    return faults


def items_table(items: Iterable[Item], texts: Texts) -> str:
    """The text of items.tsv."""
    lines = [f"{label}\t{key}\t{split_of(label, key)}\t{hash_of((label, key), texts)}" for label, key in items]
    return "\n".join([*ITEMS_HEADER, *lines]) + "\n"


def _of_cell(items: Iterable[Item], label: str, split: Split) -> list[Item]:
    return [item for item in items if item[0] == label and split_of(*item) == split]


def _names(locale: str, english: Mapping[Item, str]) -> dict[Item, str]:
    return names_of(locale) if locale == ENGLISH else translated(names_of(locale), english)


def _seen(row: Mapping[str, str]) -> str:
    return str(int(row["locale"] in XLMR_LOCALES))


def _differences(row: Mapping[str, str], of_sib200: Mapping[str, str]) -> list[str]:
    columns = ("name", "family", "joshi", "seen")
    return [f"{row['code']}: {c} is '{row[c]}', in sib200 '{of_sib200[c]}'" for c in columns if row[c] != of_sib200[c]]


if __name__ == "__main__":
    main()
