"""Whatever stands in a catalog's files, it is read, or is one error that says where; never a traceback."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components import catalog
from components.catalog.loading import DATA

_FILES = sorted(path.name for path in DATA.glob("*.yaml"))
_PARSED = {name: yaml.safe_load((DATA / name).read_text()) for name in _FILES}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(DATA, tmp_path_factory.mktemp("catalog") / "data"))


def _load(directory: Path, name: str, data: Any) -> catalog.Catalog:
    """The catalog with other data in one file, which is put back."""
    try:
        (directory / name).write_text(yaml.safe_dump(data))
        return catalog.load.__wrapped__(directory)
    finally:
        shutil.copyfile(DATA / name, directory / name)


@pytest.mark.parametrize(
    ("file", "data", "named"),
    [
        pytest.param("prices.yaml", None, "must be a list of batches", id="nothing"),
        pytest.param(
            "prices.yaml", [{"prices": {"network": {"cross_zone": "$1/GB"}}}], "cross_zone", id="unsourced"
        ),
        pytest.param("prices.yaml", [{"price": {}}], "batch 0", id="a misspelt section"),
        pytest.param(
            "providers.yaml", [{"provider": "coreweave", "offers": {"a": 3}}], "a must be", id="no machine"
        ),
        pytest.param(
            "providers.yaml", [{"provider": "acme", "offers": {}}], "acme", id="a provider nobody knows"
        ),
        pytest.param(
            "providers.yaml", [{"provider": ["x"], "offers": {}}], "providers", id="a provider that is none"
        ),
        pytest.param("accelerators.yaml", [{"accelerators": {"A": {"memory": 3}}}], "", id="accelerator"),
        pytest.param("distributions.yaml", [{"distributions": {"hop": 3}}], "hop", id="no group"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(directory: Path, file: str, data: Any, named: str):
    with pytest.raises(catalog.CatalogError) as error:
        _load(directory, file, data)
    assert named in str(error.value)


def test_a_price_twice_in_one_file_is_an_error_though_of_two_days(directory: Path):
    batches = _PARSED["prices.yaml"]
    again = {**batches[0], "as_of": "2026-12-01"}
    with pytest.raises(catalog.CatalogError, match="is listed twice"):
        _load(directory, "prices.yaml", [*batches, again])


def _paths(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*way, key))


def _with(node: Any, way: tuple[Any, ...], value: Any) -> Any:
    if not way:
        return value
    key, *rest = way
    inner = _with(node[key], tuple(rest), value)
    if isinstance(node, dict):
        return {**node, key: inner}
    return [*node[:key], inner, *node[key + 1 :]]


_PLACES = [(name, way) for name, data in _PARSED.items() for way in _paths(data)]
_JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=8)
    | st.lists(st.integers() | st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=5) | st.integers() | st.just("value"), st.text(max_size=5), max_size=2)
)


@given(place=st.sampled_from(_PLACES), junk=_JUNK)
def test_junk_anywhere_is_an_error_or_does_no_harm(directory: Path, place: tuple[str, Any], junk: Any):
    name, way = place
    try:
        _load(directory, name, _with(_PARSED[name], way, junk))
    except catalog.CatalogError as error:
        assert str(error)
