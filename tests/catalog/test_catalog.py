"""The catalog: every figure typed and sourced; a malformed file is one error that names the entry."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import catalog
from components.catalog.loading import DATA


def _provenances(facts: catalog.Catalog) -> Iterator[tuple[str, catalog.Provenance]]:
    for path, place in facts.places.items():
        yield from ((path, fact) for fact in place.facts)
    for described in (facts.accelerators, facts.instance_types):
        yield from described.items()


def test_every_figure_says_where_when_and_how_sure():
    found = list(_provenances(catalog.load()))
    assert len(found) > 150
    for path, provenance in found:
        assert len(provenance.source) >= len("assumption"), path
        assert provenance.as_of.year >= 2024, path


@pytest.mark.parametrize(
    ("name", "vcpu", "memory_mib", "architecture", "accelerators"),
    [
        pytest.param("m7g.large", 2, 8192, "arm64", None, id="general purpose on Arm"),
        pytest.param("m7i.large", 2, 8192, "amd64", None, id="general purpose on Intel"),
        pytest.param("g5.xlarge", 4, 16384, "amd64", ("A10G", 1, 22888), id="one A10G"),
        pytest.param("g6.xlarge", 4, 16384, "amd64", ("L4", 1, 22888), id="one L4"),
        pytest.param("g6.12xlarge", 48, 196608, "amd64", ("L4", 4, 22888), id="four L4, memory of each one"),
        pytest.param("g6e.xlarge", 4, 32768, "amd64", ("L40S", 1, 45776), id="one L40S"),
        pytest.param("p4d.24xlarge", 96, 1179648, "amd64", ("A100", 8, 40960), id="eight A100"),
        pytest.param("p5.48xlarge", 192, 2097152, "amd64", ("H100", 8, 81920), id="eight H100"),
    ],
)
def test_instance_types(
    name: str, vcpu: int, memory_mib: int, architecture: str, accelerators: tuple[str, int, int] | None
):
    entry = catalog.load().instance_types[name]
    assert (entry.vcpu, entry.memory.mib, entry.architecture) == (vcpu, memory_mib, architecture)
    fitted = entry.accelerators
    assert (fitted and (fitted.type, fitted.count, fitted.memory.mib)) == accelerators


def test_bare_metal_is_said_where_the_type_is():
    types = catalog.load().instance_types
    assert {name for name, entry in types.items() if entry.bare_metal} == {
        name for name in types if ".metal" in name
    }


def test_function_limits():
    function = catalog.load().limits.function
    assert function.memory_on_demand.value.mib == 10_240
    assert function.memory_managed_instances.value.mib == 32_768
    assert function.timeout.value.seconds == 900


def test_first_answers_and_limits_of_the_front_door():
    facts = catalog.load()
    band, door = facts.guidance.utilization, facts.limits.front_door
    assert [str(each.value) for each in (band.function_below, band.pool_from, band.nodes_above)] == [
        "10%",
        "20%",
        "60%",
    ]
    assert [str(each.value) for each in (door.http_api, door.rest_api, door.rest_api_streamed)] == [
        "30s",
        "29s",
        "15m",
    ]


def test_an_assumed_figure_says_so_where_it_is_shown():
    facts = catalog.load()
    assert facts.latency.state.round_trip_cross_zone.caveat == " (assumed)"
    assert facts.limits.function.timeout.caveat == ""


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        pytest.param(
            "limits.yaml",
            lambda data: data["function"]["timeout"].pop("source"),
            "limits.function.timeout.source",
            id="a figure without a source",
        ),
        pytest.param(
            "limits.yaml",
            lambda data: data["function"]["timeout"].update(value=900),
            "limits.function.timeout.value",
            id="a figure without a unit",
        ),
        pytest.param(
            "limits.yaml",
            lambda data: data["function"].update(ephemeral_disk={}),
            "limits.function.ephemeral_disk",
            id="a limit nobody knows",
        ),
        pytest.param(
            "instance_types.yaml",
            lambda data: data[0]["types"]["g6.xlarge"].update(vcpu=0),
            "instance_types.g6.xlarge.vcpu",
            id="an instance without a processor",
        ),
        pytest.param(
            "instance_types.yaml",
            lambda data: data[0]["types"]["g6.xlarge"]["accelerators"].update(type="L5"),
            "'L5' is not in accelerators.yaml",
            id="an accelerator nobody described",
        ),
        pytest.param(
            "instance_types.yaml",
            lambda data: data.append(data[0]),
            "is listed twice",
            id="one type in two batches",
        ),
        pytest.param(
            "accelerators.yaml",
            lambda data: data[0].pop("accelerators"),
            "batch 0",
            id="a batch of nothing",
        ),
    ],
)
def test_a_malformed_file_is_an_error_that_names_the_entry(
    tmp_path: Path, file: str, change: Callable[[Any], object], named: str
):
    directory = tmp_path / "data"
    shutil.copytree(DATA, directory)
    data = yaml.safe_load((directory / file).read_text())
    change(data)
    (directory / file).write_text(yaml.safe_dump(data))
    with pytest.raises(catalog.CatalogError) as error:
        catalog.load(directory)
    assert named in str(error.value)


def test_a_missing_or_unreadable_file_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(catalog.CatalogError, match=r"accelerators\.yaml"):
        catalog.load(tmp_path)
    (tmp_path / "accelerators.yaml").write_bytes(b"\xff\xfe: [")
    with pytest.raises(catalog.CatalogError, match=r"accelerators\.yaml"):
        catalog.load(tmp_path)


def test_the_data_ships_with_the_package():
    assert {path.name for path in DATA.iterdir()} == {
        "accelerators.yaml",
        "distributions.yaml",
        "guidance.yaml",
        "instance_types.yaml",
        "latency.yaml",
        "limits.yaml",
        "metering.yaml",
        "prices.yaml",
        "providers.yaml",
        "zones.yaml",
    }
