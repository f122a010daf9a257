"""Every way of getting a `task.toml` wrong, and what is said of it before any file is read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.task_folder import TOML, columns, write_task
from xlt_bench.errors import ConfigError
from xlt_bench.tasks.files import toml_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews")
    return tmp_path / "reviews"


TOML_FAULTS: dict[str, tuple[str, str]] = {
    "no TOML": ("labels = \n", r"task.toml is no TOML: .*line 1"),
    "key": (
        TOML.replace("labels", "lables"),
        r"task.toml: no key 'lables'; did you mean 'labels'\? see: name, summary,",
    ),
    "inner key": (columns('txt = "x"'), r"task.toml, \[columns\]: no key 'txt'; did you mean 'text'\? see: id, label"),
    "column for a table": (
        'columns = "text"' + TOML.partition("[columns]")[0],
        r"columns must be a table, \[columns\]",
    ),
    "no labels": ('languages = ["eng_Latn"]', r"task.toml: labels must list at least 2 classes"),
    "one label": ('labels = ["x"]\nlanguages = ["eng_Latn"]', r"labels must list at least 2 classes"),
    "label twice": (TOML.replace('"negative"', '"positive"'), r"labels names 'positive' twice"),
    "labels by number": (
        TOML.replace('["negative", "positive"]', "[0, 1]"),
        r"labels must be a list of texts, not \[0, 1",
    ),
    "no languages": ('labels = ["a", "b"]', r"languages must list the codes"),
    "language twice": (TOML.replace("deu_Latn", "eng_Latn"), r"languages names 'eng_Latn' twice"),
    "language for a group": (
        TOML.replace("deu_Latn", "all"),
        r"'all' has a meaning of its own; give the language anoth",
    ),
    "language with a sign": (TOML.replace("deu_Latn", "a+b"), r"'a\+b' is no name of a language: letters, digits"),
    "language key": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "") + "[languages.en]\njoshy = 5",
        r"\[languages.en\]: no key 'joshy'; did you mean 'joshi'\?",
    ),
    "class of a language": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "") + "[languages.en]\njoshi = 6",
        r"\[languages.en\]: joshi must be a class of Joshi et al. \(2020\), from 0 to 5, not 6",
    ),
    "name": ('name = "My Task"' + TOML, r"'My Task' is no name of a task: small letters"),
    "seeds": ("seeds = 0" + TOML, r"seeds must be a whole number from 1 to 1,000,000, not 0"),
    "seeds in words": ('seeds = "three"' + TOML, r"seeds must be a whole number from 1 to 1,000,000, not 'three'"),
    "preset": ('preset = "papre"' + TOML, r"no preset 'papre'; did you mean 'paper'\?"),
    "items": ('items = "paralel"' + TOML, r"no items 'paralel'; did you mean 'parallel'\? see: parallel, overlapping"),
    "parallel without ids": ('items = "parallel"' + columns(""), r'items = "parallel" needs an id column'),
    "by line with ids": ('items = "by-line"' + TOML, r'items = "by-line" is for files without ids'),
    "quotes": ('quotes = "yes"' + TOML, r"no quotes 'yes'; see: csv, none"),
    "files": ('files = "{lang}/{split}.tsv"' + TOML, r"files must have \{language\} and \{split\} once each"),
    "ending": (
        'files = "{language}/{split}.json"' + TOML,
        r"files must end with .tsv, .csv, .jsonl, .*.parquet, .arrow, not",
    ),
    "absolute files": (
        'files = "/{language}/{split}.tsv"' + TOML,
        r"files is a path inside the data folder, with sing",
    ),
    "files anywhere": (
        'files = "**/{language}/{split}.tsv"' + TOML,
        r"files is a path inside the data folder, with sin",
    ),
    "files outside": ('files = "../{language}/{split}.tsv"' + TOML, r"with single \* and without \.\., not"),
    "folder outside": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "")
        + '[languages.eng_Latn]\nfolder = "../up"\n',
        r"folder must be what stands for \{language\} in paths, without /, not '../up'",
    ),
    "split outside": (TOML + '[splits]\ndev = "../dev"', r"'../dev' is no name of a split in the files"),
    "empty": ('empty = "keep"' + TOML, r"no empty 'keep'; see: refuse, drop"),
    "hub": (TOML + '[hub]\npath = "nusax"\nrevision = "7b2f"', r"\[hub\]: path must be a data set of the hub, such as"),
    "revision": (
        TOML + '[hub]\npath = "mteb/NusaX-senti"\nrevision = "main"',
        r"revision must be a commit of 40 hexadecimal digits, so that the data cannot change, not 'main'",
    ),
    "config without hub": ('config = "{language}"' + TOML, r"config needs \[hub\], or data, a local folder"),
    "config that leads out": (
        'data = "."\nconfig = ".."\n' + TOML,
        r"config must be a configuration, with \{language\} in it or not",
    ),
    "config with more": (
        'config = "{split}"' + TOML + '[hub]\npath = "a/b"\nrevision = "' + "0" * 40 + '"',
        r"config must be a configuration, with \{language\} in it or not",
    ),
    "source's split": (
        TOML + '[[sources]]\nsplits = ["dev", "final"]',
        r"\[sources\] 1: splits must be some of train,",
    ),
    "source's key": (TOML + '[[sources]]\nlanguage = "eng_Latn"', r"\[sources\] 1: no key 'language'; did you mean"),
    "sources": (TOML + "[sources]\n", r"sources must be a list of tables, \[\[sources\]\]"),
    "max_length": ("max_length = 0" + TOML, r"max_length must be a whole number from 1 to"),
    "many seeds": (
        "seeds = 100_000_000_000" + TOML,
        r"seeds must be a whole number from 1 to 1,000,000, not 100000000000",
    ),
    "digits": (f"seeds = {'9' * 5000}" + TOML, r"cannot read .*: Exceeds the limit \(4300"),
    "deep list": (
        "x = " + "[" * 5000 + "]" * 5000,
        r"is no TOML that can be read: tables or lists are nested too deep",
    ),
    "deep table": ("x = " + "{a=" * 5000 + "1" + "}" * 5000, r"tables or lists are nested too deep"),
    "deep key": ("x" + ".a" * 400_000 + " = 1", r"has a key of more than 64 parts; no key that is read here has"),
    "deep quoted key": ("x" + ' . \'a\'."b\\"c"' * 40_000 + " = 1", r"has a key of more than 64 parts"),
    "deep name of a table": ("[x" + ".a" * 400_000 + "]", r"has a key of more than 64 parts"),
    "huge": ("# " + "x" * 2_000_000, r"has more than 1,048,576 bytes"),
    "long name": (f'name = "{"x" * 300}"' + TOML, r"'x{97}\.\.\.' is no name of a task: .* at most 100"),
    "long backbone": (f'backbone = "{"x" * 300}"' + TOML, r"backbone must be a name of at most 100 characters, not '"),
    "long key": (f"{'x' * 300} = 1" + TOML, r"no key 'x{97}\.\.\.'"),
    "one column for two": (columns('id = "text"'), r"two of text, label, text are one column"),
    "split": (TOML + '[splits]\nvalid = "validation"', r"\[splits\]: no key 'valid'; see: train, dev, test"),
    "one name for two": (TOML + '[splits]\ndev = "test"', r"two splits have one name in the files"),
    "languages of test": (TOML + '[splits.test]\nlanguages = ["eng_Latn"]', r"every language needs a test split"),
    "train without dev": (
        TOML + '[splits.dev]\nlanguages = ["eng_Latn"]',
        r"deu_Latn, zul_Latn would train without dev, which selects the checkpoint",
    ),
    "language of a split": (
        TOML + '[splits.train]\nlanguages = ["de"]',
        r"\[splits.train\]: languages: no language 'de'; did you mean 'deu_Latn'\?",
    ),
    "group": (
        TOML + '[groups]\nbantu = ["zul_latn"]',
        r"\[groups\]: bantu: no language 'zul_latn'; did you mean 'zul_L",
    ),
    "group of nothing": (TOML + "[groups]\nbantu = []", r"group 'bantu' has no languages"),
    "group of a text": (TOML + '[groups]\nbantu = "zul_Latn"', r"bantu must be a list of texts, not 'zul_Latn'"),
    "group's name": (TOML + '[groups]\nseen = ["zul_Latn"]', r"'seen' has a meaning of its own; give the group anot"),
    "group's signs": (TOML + '[groups]\n"a, b" = ["zul_Latn"]', r"'a, b' is no name of a group"),
    "group as a language": (TOML + '[groups]\neng_Latn = ["zul_Latn"]', r"'eng_Latn' is also a language of the task"),
    "backbone's key": (TOML + '[backbones.nano]\nsaw = ["zul_Latn"]', r"\[backbones.nano\]: no key 'saw'"),
    "full targets": ('full_targets = ["unsen"]' + TOML, r"full_targets: no group 'unsen'; did you mean 'unseen'\?"),
}


@pytest.mark.parametrize("fault", TOML_FAULTS)
def test_a_faulty_toml_is_refused_before_any_file_is_read(fault: str, tmp_path: Path) -> None:
    toml, message = TOML_FAULTS[fault]
    path = tmp_path / "reviews" / "task.toml"
    path.parent.mkdir()
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        toml_task(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_toml_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*task.toml: No such file"):
        toml_task(tmp_path / "task.toml")
    (tmp_path / "task.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match=r"task.toml: byte 8 is not UTF-8; save it as UTF-8"):
        toml_task(tmp_path / "task.toml")


def test_a_list_that_fills_the_file_is_read_in_seconds(folder: Path) -> None:
    codes = ", ".join(f'"{number:05d}"' for number in range(60_000))
    (folder / "task.toml").write_text(f'labels = ["a", "b"]\nlanguages = [{codes}]\n', encoding="utf-8")
    start = time.process_time()
    toml_task(folder / "task.toml")
    assert time.process_time() - start < 20, "time grows with the square of the list: it took minutes"
