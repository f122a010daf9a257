"""Options: declared once, read alike from the command line, a notebook and a study's file."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest

import xlt_bench
from tests.support.commands import Command
from tests.support.plugins import GOOD, write_plugin
from xlt_bench.cli.main import main
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.methods.dual import DUAL30
from xlt_bench.methods.majority import Majority
from xlt_bench.methods.xpe import XPE
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.option import options_of
from xlt_bench.runs.request import Request, read_request
from xlt_bench.studies.definition import read_study

OPTIONS = {each.field: each for each in options_of(Request)}


def test_every_field_of_a_request_but_the_provenance_of_a_search_is_an_option() -> None:
    assert set(OPTIONS) == {field.name for field in dataclasses.fields(Request)} - {"tuning"}


@pytest.mark.parametrize("scope", ["run", "tune", "study"])
def test_a_command_has_the_options_that_are_declared_for_it(scope: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([scope, "--help"]) == 0
    shown = capsys.readouterr().out
    for each in options_of(Request):
        assert (each.flags[0] + " " in shown) == (scope in each.scopes), each.flags
    squeezed = "".join(shown.split())  # lines are broken at hyphens too
    for each in options_of(Request, scope):
        assert "".join(each.help.partition(" [default")[0].split()) in squeezed


def test_the_arguments_of_a_notebook_are_the_fields() -> None:
    parameters = inspect.signature(xlt_bench.run).parameters
    assert list(parameters)[:2] == ["method", "sources"]
    assert set(parameters) == {*OPTIONS, "progress"}


@pytest.mark.parametrize(
    ("field", "command_line", "notebook", "expected"),
    [
        ("seeds", "3", 3, (0, 1, 2)),
        ("seeds", "4,7", [4, 7], (4, 7)),
        ("seeds", "4,", range(4, 5), (4,)),
        ("shots", "0,8,all", (0, 8, None), (0, 8, None)),
        ("shots", "8", 8, (8,)),
        ("shots", "all", "all", (None,)),
        ("sources", "deu_Latn,fra_Latn", ["deu_Latn", "fra_Latn"], "deu_Latn,fra_Latn"),
        ("targets", "unseen", "unseen", "unseen"),
        ("data_dir", Path("a"), "a", Path("a")),
        ("settings", ["n_tokens=10", "a=b=c"], {"n_tokens": 10, "a": "b=c"}, {"n_tokens": "10", "a": "b=c"}),
        ("resources", ["label-words=a=b"], {"label-words": Path("a=b")}, {"label-words": Path("a=b")}),
        ("rate_factors", "2,0.5", (2, 0.5), (2.0, 0.5)),
        ("init_from", "org/name", Path("folder"), None),
        ("steps", 5, 5, 5),
    ],
)
def test_one_value_in_two_ways_of_writing(field: str, command_line: object, notebook: object, expected: object) -> None:
    values = [getattr(read_request({field: given}), field) for given in (command_line, notebook)]
    assert values == ["org/name", "folder"] if expected is None else values == [expected, expected]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"step": 5}, "no option 'step'; did you mean 'steps'?"),
        ({"tuning": {"trials": 3}}, "no option 'tuning'"),
        ({"seeds": 0}, "--seeds must be a number of seeds from 1 to 1000, or a list, not 0"),
        ({"seeds": True}, "--seeds takes a number of seeds or a list of them, not True"),
        ({"steps": 0}, "--steps must be a whole number of at least 1, not 0"),
        ({"steps": "5"}, "--steps must be a whole number of at least 1, not '5'"),
        ({"sources": []}, "--sources takes groups and language codes, as a text or a list, not []"),
        ({"sources": [3]}, "--sources must be a text, not 3"),
        ({"settings": {"a": [[1]]}}, "--set a must be a plain value or a list of such, not [[1]]"),
        ({"settings": "a=1"}, "--set takes name=value, not 'a=1'"),
        ({"rate_factors": 2.0}, "--rate-factors takes two numbers, of the head last, such as 2,0.5, not 2.0"),
        ({"precision": "fp16"}, "no precision 'fp16'; did you mean 'bf16'? see: auto, fp32, bf16"),
        ({"save_weights": "yes"}, "--save-weights must be true or false, not 'yes'"),
        ({"store": 3}, "--store must be a path, not 3"),
        ({"device": " "}, "--device must be a text, not ' '"),
    ],
)
def test_a_wrong_value_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_request(given)
    assert message in str(caught.value)


def test_none_is_what_the_default_is() -> None:
    assert read_request({"steps": None, "store": None, "settings": None}) == Request()


def test_an_option_of_a_grid_is_a_key_of_a_study(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "A"\nquestion = "B?"\n[[grid]]\nmethods = ["xpe"]\nsources = ["none"]\nshots = [8, "all"]\nseeds = 2\n'
        'target-steps = 3\nset = { n_tokens = 4 }\n[report]\nform = "groups"\n'
    )
    (grid,) = read_study(path).grids
    settings = {"n_tokens": "4"}
    assert grid.options == {"shots": (8, None), "seeds": (0, 1), "target_steps": 3, "settings": settings}
    request = grid.request("spt", "none", settings, Request(store=Path("s"), seeds=(7,)))
    assert request == Request(
        method="spt", sources="none", shots=(8, None), seeds=(7,), target_steps=3, settings=settings, store=Path("s")
    )


def test_a_class_and_an_instance_are_the_method_of_their_name() -> None:
    assert read_request({"method": XPE}) == Request(method="xpe")
    made = read_request({"method": XPE(n_tokens=10, learning_rate=0.1), "settings": {"hidden": 8}})
    assert made == Request(method="xpe", settings={"n_tokens": "10", "learning_rate": "0.1", "hidden": "8"})
    assert read_request({"method": XPE(n_tokens=10), "settings": {"n_tokens": 5}}).settings == {"n_tokens": "5"}
    assert read_request({"method": DUAL30()}).method == "dual-30"


def test_a_class_of_a_file_is_that_file_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, GOOD, "some_plugin.py")
    monkeypatch.syspath_prepend(tmp_path)
    plugin: Any = __import__("some_plugin")
    request = read_request({"method": plugin.Plugin(strength=2.0)})
    assert request == Request(method=f"{tmp_path}/some_plugin.py:Plugin", settings={"strength": "2.0"})


def test_what_is_no_method_or_stands_nowhere_is_refused() -> None:
    with pytest.raises(MethodError, match="method 'int' lacks fit, load, uses_backbone"):
        read_request({"method": 3})
    nowhere = type("Nowhere", (Majority,), {"__module__": "a_cell_of_a_notebook"})
    with pytest.raises(ConfigError, match=r"method Nowhere stands in no file.*; write the class into a file"):
        read_request({"method": nowhere})


def test_a_notebook_runs_a_class_on_a_list_of_codes(run: Command) -> None:
    (first,) = xlt_bench.run(Majority, ["eng_Latn", "deu_Latn"], task="toy", seeds=1, device="cpu")
    assert first.cell.sources == ("eng_Latn", "deu_Latn")
    request = Request(method="majority", task="toy", sources="deu_Latn+eng_Latn", seeds=(0,), device="cpu")
    assert list(xlt_bench.run(request)) == [first], "the same run in other words"
    assert len(Store(Path("xlt-results")).records()[0]) == 1
    with pytest.raises(ConfigError, match="run takes a whole Request, or options"):
        xlt_bench.run(request, seeds=2)


def test_what_the_package_offers_is_there() -> None:
    assert xlt_bench.Record is Record
    assert all(getattr(xlt_bench, name) is not None for name in xlt_bench.__all__)
    assert set(xlt_bench.__all__) <= set(dir(xlt_bench))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        xlt_bench.nothing  # noqa: B018
