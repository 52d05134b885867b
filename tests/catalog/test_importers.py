"""Price lists of others: read into figures, compared with the catalog, and written beside it."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components import catalog
from components.catalog import CatalogError, Confidence
from components.catalog.importers import (
    Comparison,
    Format,
    Imported,
    Outcome,
    UnreadableListError,
    compare,
    read,
    write,
)
from components.catalog.loading import DATA
from tests.catalog.price_lists import PUBLISHED, SKYPILOT, machine, offer_csv, offer_json, product

TODAY = date(2026, 12, 2)
_PRODUCTS = [
    pytest.param(
        "AmazonEC2",
        machine("g6.xlarge", "0.7000000000"),
        {"instances.g6.xlarge.on_demand": "$0.70/h"},
        id="EC2",
    ),
    pytest.param(
        "AmazonEC2",
        product("NAT Gateway", "Hrs", ("0", "0.05"), usagetype="USE1-NatGateway-Hours"),
        {"network.nat.hour": "$0.05/h"},
        id="NAT by the hour, behind a region's prefix",
    ),
    pytest.param(
        "AmazonEC2",
        product("NAT Gateway", "GB", ("0", "0.05"), usagetype="NatGateway-Bytes"),
        {"network.nat.data": "$0.05/GB"},
        id="NAT by the byte",
    ),
    pytest.param(
        "AWSELB",
        product("Load Balancer-Network", "LCU-Hrs", ("0", "0.007"), usagetype="LCUUsage"),
        {"load_balancer.network.capacity_unit": "$0.007/LCU-h"},
        id="load balancer",
    ),
    pytest.param(
        "AmazonEKS",
        product("Compute", "hours", ("0", "0.12"), usagetype="USE1-AmazonEKS-Hours:perCluster"),
        {"cluster.eks.hour": "$0.12/h"},
        id="EKS",
    ),
    pytest.param(
        "AWSDataTransfer",
        product(
            "Data Transfer",
            "GB",
            ("0", "0.02"),
            usagetype="DataTransfer-Regional-Bytes",
            regionCode="",
            fromRegionCode="us-east-1",
        ),
        {"network.cross_zone": "$0.02/GB"},
        id="between zones, region by where it comes from",
    ),
    pytest.param(
        "AWSLambda",
        product(
            "Serverless",
            "Lambda-GB-Second",
            ("7500000000", "0.000012"),
            ("0", "0.0000133335"),
            group="AWS-Lambda-Duration-ARM",
        ),
        {"function.on_demand.arm64.gb_second": "$0.0000133335/GB-s"},
        id="Lambda in tiers: the first",
    ),
    pytest.param(
        "AWSLambda",
        product("Serverless", "Request", ("0", "0"), ("1000000", "0.0000003"), group="AWS-Lambda-Requests"),
        {
            "function.on_demand.amd64.request": "$0.30/1M requests",
            "function.provisioned.amd64.request": "$0.30/1M requests",
        },
        id="Lambda requests: past what is free, and for both ways to run",
    ),
    pytest.param(
        "AmazonApiGateway",
        product("API Calls", "Requests", ("0", "0.0000012"), usagetype="USE1-ApiGatewayHttpRequest"),
        {"front_door.http_api.request": "$1.20/1M requests"},
        id="HTTP API",
    ),
    pytest.param("AmazonEC2", machine("g6.xlarge", "9", operatingSystem="Windows"), {}, id="another system"),
    pytest.param("AmazonEC2", machine("g6.xlarge", "9", tenancy="Dedicated"), {}, id="another tenancy"),
    pytest.param(
        "AmazonEC2", machine("g6.xlarge", "9", marketoption="CapacityBlock"), {}, id="a capacity block"
    ),
    pytest.param(
        "AmazonS3", product("Storage", "GB-Mo", ("0", "0.02"), usagetype="Bytes"), {}, id="no figure"
    ),
]


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize(("code", "line", "figures"), _PRODUCTS)
def test_an_aws_offer_file(
    tmp_path: Path, kind: str, code: str, line: dict[str, Any], figures: dict[str, str]
):
    make = offer_json if kind == "json" else offer_csv
    found = read(make(tmp_path / f"index.{kind}", code, [line]), TODAY)
    assert {each.path.removeprefix("prices."): each.value for each in found.figures} == figures
    assert (found.as_of, found.confidence) == (date(2026, 12, 1), Confidence.VERIFIED)
    assert code in found.source
    assert PUBLISHED in found.source


def test_a_figure_with_two_prices_is_named_and_not_taken(tmp_path: Path):
    twice = [machine("g6.xlarge", "1"), machine("g6.xlarge", "2", usagetype="Other:g6.xlarge")]
    found = read(offer_json(tmp_path / "index.json", "AmazonEC2", twice), TODAY)
    assert found.figures == ()
    assert found.ambiguous == ("prices.instances.g6.xlarge.on_demand for us-east-1: $1/h, $2/h",)


def _skypilot(tmp_path: Path, text: str = SKYPILOT) -> Imported:
    file = tmp_path / "vms.csv"
    file.write_text(text)
    return read(file, TODAY)


def test_a_skypilot_catalog(tmp_path: Path):
    found = _skypilot(tmp_path)
    by_path = {(each.path, each.region): (each.value, each.note) for each in found.figures}
    assert by_path["prices.instances.g6.xlarge.on_demand", "us-east-1"] == ("$0.90/h", "")
    assert by_path["prices.instances.g6.xlarge.spot", "us-east-1"] == (
        "$0.42/h",
        "middle of 2 zones, $0.31/h to $0.42/h",
    )
    assert by_path["zones.g6.xlarge", "us-east-1"] == (["use1-az1", "use1-az4"], "")
    assert ("prices.instances.g6.xlarge.spot", "eu-central-1") not in by_path
    assert (found.as_of, found.confidence) == (TODAY, Confidence.SECONDARY)


def test_zones_by_letter_are_not_taken_for_anybody_elses(tmp_path: Path):
    found = _skypilot(tmp_path, SKYPILOT.replace("use1-az", "us-east-1").replace("euc1-az", "eu-central-1"))
    assert not any(each.path.startswith("zones.") for each in found.figures)


def test_what_an_import_changes(tmp_path: Path):
    found = compare(catalog.load(), _skypilot(tmp_path), ["us-east-1"])
    said = {each.figure.path: (each.outcome, each.old and str(each.old.value)) for each in found.changes}
    assert said == {
        "prices.instances.g6.xlarge.on_demand": (Outcome.CHANGED, "$0.8048/h"),
        "prices.instances.g6.xlarge.spot": (Outcome.CHANGED, "$0.4102/h"),
        "zones.g6.xlarge": (Outcome.CHANGED, "('use1-az1', 'use1-az2', 'use1-az4', 'use1-az6')"),
    }
    assert found.left_out == 3, "of x9.huge, which the catalog does not describe"


@pytest.mark.parametrize(
    ("dollars", "day", "outcome", "kept"),
    [
        pytest.param("0.7", date(2026, 12, 1), Outcome.CHANGED, 1, id="another price"),
        pytest.param("0.8048", date(2026, 12, 1), Outcome.CONFIRMED, 1, id="the same, newer"),
        pytest.param("0.7", date(2020, 1, 1), Outcome.OLDER, 0, id="older than what is known"),
    ],
)
def test_what_comes_of_one_figure(tmp_path: Path, dollars: str, day: date, outcome: Outcome, kept: int):
    text = f"InstanceType,Price,SpotPrice,Region\ng6.xlarge,{dollars},,us-east-1\n"
    (tmp_path / "vms.csv").write_text(text)
    found = compare(catalog.load(), read(tmp_path / "vms.csv", day))
    assert [each.outcome for each in found.changes] == [outcome]
    assert len(found.kept) == kept


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def _compared(tmp_path: Path, directory: Path) -> Comparison:
    return compare(catalog.load(directory), _skypilot(tmp_path))


def test_what_is_written_is_what_counts_with_its_source_and_day(tmp_path: Path):
    directory = _copy(tmp_path)
    file = write(_compared(tmp_path, directory), directory)
    assert file == directory / "imports" / "2026-12-02-skypilot-aws.yaml"
    fact = _reloaded(directory).prices.instances["g6.xlarge"].spot.at("us-east-1")
    assert (str(fact.value), fact.as_of, fact.note) == (
        "$0.42/h",
        TODAY,
        "middle of 2 zones, $0.31/h to $0.42/h",
    )
    assert fact.source == "SkyPilot catalog, vms.csv"
    untouched = _reloaded(directory).prices.instances["g6.xlarge"].on_demand.at("us-west-2")
    assert str(untouched.value) == "$0.8048/h"


def _reloaded(directory: Path) -> catalog.Catalog:
    return catalog.load.__wrapped__(directory)


def test_an_import_again_changes_nothing(tmp_path: Path):
    directory = _copy(tmp_path)
    write(_compared(tmp_path, directory), directory)
    again = compare(_reloaded(directory), _skypilot(tmp_path))
    assert {each.outcome for each in again.changes} == {Outcome.CONFIRMED}
    assert len(list((directory / "imports").iterdir())) == 1


def test_an_older_import_beside_a_newer_one_does_not_count(tmp_path: Path):
    directory = _copy(tmp_path)
    write(_compared(tmp_path, directory), directory)
    older = (directory / "imports" / "2026-12-02-skypilot-aws.yaml").read_text()
    (directory / "imports" / "2026-12-03-z.yaml").write_text(
        older.replace("2026-12-02", "2026-11-30").replace("0.42", "0.11")
    )
    assert str(_reloaded(directory).prices.instances["g6.xlarge"].spot.at("us-east-1").value) == "$0.42/h"


def test_only_a_catalog_is_written_to(tmp_path: Path):
    with pytest.raises(CatalogError, match="is no catalog"):
        write(_compared(tmp_path, DATA), tmp_path)


_HEADER = SKYPILOT.partition("\n")[0]


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        pytest.param("", Format.AUTO, "is no price list", id="empty"),
        pytest.param("a,b\n1,2\n", Format.AUTO, "is no price list", id="another table"),
        pytest.param("{", Format.AUTO, "is not JSON", id="half of JSON"),
        pytest.param("{}", Format.AUTO, "has no products", id="other JSON"),
        pytest.param('{"products": {}}', Format.AUTO, "when it was published", id="an offer of no day"),
        pytest.param(
            '{"products": {"A": 3}, "offerCode": "x", "publicationDate": "2026-01-01"}',
            Format.AUTO,
            "built",
            id="odd",
        ),
        pytest.param(
            '{"products": {}, "offerCode": "x", "publicationDate": "soon"}',
            Format.AUTO,
            "no date",
            id="no day",
        ),
        pytest.param('"FormatVersion","v1.0"\n', Format.AUTO, "no column", id="cut short"),
        pytest.param(_HEADER, Format.SKYPILOT, "no machine", id="no rows"),
        pytest.param(f"{_HEADER}\ng6.xlarge,L4\n", Format.AUTO, ":2: has more or fewer", id="a short row"),
        pytest.param(
            SKYPILOT.replace("0.42", "cheap"), Format.AUTO, ":3: 'cheap' is no price", id="no number"
        ),
        pytest.param(
            SKYPILOT.replace("0.42", "-1"), Format.AUTO, ":3: '-1' is no possible price", id="negative"
        ),
        pytest.param(SKYPILOT.replace("0.42", "NaN"), Format.AUTO, ":3: 'NaN'", id="not a number"),
        pytest.param(SKYPILOT.replace("0.42", "1e30"), Format.AUTO, "absurdly large", id="absurd"),
    ],
)
def test_a_file_that_is_no_price_list_is_one_clear_error(tmp_path: Path, text: str, kind: Format, says: str):
    file = tmp_path / "list"
    file.write_text(text)
    with pytest.raises(UnreadableListError) as error:
        read(file, TODAY, kind)
    assert says in str(error.value)
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    ("line", "currency", "says"),
    [
        pytest.param(machine("g6.xlarge", "1"), "CNY", "in CNY", id="another currency"),
        pytest.param(machine("g6.xlarge", "1", regionCode=""), "USD", "for which region", id="no region"),
        pytest.param(
            {**machine("g6.xlarge", "1"), "unit": "Fortnights"}, "USD", "'Fortnights'", id="another unit"
        ),
        pytest.param(machine("g6.xlarge", "free"), "USD", "'free' is no price", id="no number"),
    ],
)
def test_an_offer_that_cannot_be_the_catalogs_says_why(
    tmp_path: Path, line: dict[str, Any], currency: str, says: str
):
    file = offer_json(tmp_path / "index.json", "AmazonEC2", [line], currency)
    with pytest.raises(UnreadableListError) as error:
        read(file, TODAY)
    assert says in str(error.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path):
    with pytest.raises(UnreadableListError, match="cannot be read"):
        read(tmp_path / "nowhere.csv", TODAY)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(UnreadableListError, match="not UTF-8"):
        read(tmp_path / "binary", TODAY)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_OFFER = st.fixed_dictionaries(
    {
        "products": st.dictionaries(
            st.text(max_size=3),
            st.fixed_dictionaries({"attributes": _JSON, "productFamily": _JSON}),
            max_size=2,
        ),
        "terms": _JSON | st.fixed_dictionaries({"OnDemand": _JSON}),
        "offerCode": _JSON,
        "publicationDate": st.just(PUBLISHED) | _JSON,
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offer=_OFFER)
def test_whatever_is_in_an_offer_file_it_is_read_or_refused(tmp_path: Path, offer: Any):
    file = tmp_path / "index.json"
    file.write_text(json.dumps(offer))
    try:
        read(file, TODAY)
    except CatalogError as error:
        assert str(file) in str(error)
