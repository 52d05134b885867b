"""Small price lists in the shapes that AWS and SkyPilot publish, with made-up prices."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PUBLISHED = "2026-12-01T20:14:17Z"


def product(family: str, unit: str, *tiers: tuple[str, str], **attributes: str) -> dict[str, Any]:
    """One product with its price on demand in tiers of (from, dollars)."""
    named = {"regionCode": "us-east-1", **attributes}
    return {"family": family, "unit": unit, "tiers": tiers, "attributes": named}


def machine(instance: str, dollars: str, **attributes: str) -> dict[str, Any]:
    """An EC2 instance, Linux, shared."""
    plain = {
        "instanceType": instance,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "operation": "RunInstances",
        "marketoption": "OnDemand",
        "usagetype": f"BoxUsage:{instance}",
    }
    return product("Compute Instance", "Hrs", ("0", dollars), **{**plain, **attributes})


def offer_json(path: Path, code: str, products: Sequence[Mapping[str, Any]], currency: str = "USD") -> Path:
    """An offer file as JSON."""
    found: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    for number, each in enumerate(products):
        sku = f"SKU{number}"
        found[sku] = {"sku": sku, "productFamily": each["family"], "attributes": each["attributes"]}
        tiers = {
            f"{sku}.T.{at}": {
                "rateCode": f"{sku}.T.{at}",
                "beginRange": begin,
                "endRange": "Inf",
                "unit": each["unit"],
                "pricePerUnit": {currency: dollars},
                "appliesTo": [],
            }
            for at, (begin, dollars) in enumerate(each["tiers"])
        }
        terms[sku] = {f"{sku}.T": {"offerTermCode": "T", "sku": sku, "priceDimensions": tiers}}
    offer = {
        "formatVersion": "v1.0",
        "offerCode": code,
        "version": "20261201201417",
        "publicationDate": PUBLISHED,
        "products": found,
        "terms": {"OnDemand": terms, "Reserved": {}},
    }
    path.write_text(json.dumps(offer))
    return path


_COLUMNS = {
    "regionCode": "Region Code",
    "fromRegionCode": "From Region Code",
    "instanceType": "Instance Type",
    "operatingSystem": "Operating System",
    "tenancy": "Tenancy",
    "preInstalledSw": "Pre Installed S/W",
    "capacitystatus": "CapacityStatus",
    "operation": "operation",
    "marketoption": "MarketOption",
    "usagetype": "usageType",
    "group": "Group",
}


def offer_csv(path: Path, code: str, products: Sequence[Mapping[str, Any]]) -> Path:
    """An offer file as CSV: five rows about it, then the table."""
    text = io.StringIO()
    out = csv.writer(text, quoting=csv.QUOTE_ALL)
    out.writerows(
        [
            ("FormatVersion", "v1.0"),
            ("Disclaimer", "This pricing list is for informational purposes only."),
            ("Publication Date", PUBLISHED),
            ("Version", "20261201201417"),
            ("OfferCode", code),
        ]
    )
    priced = ["SKU", "TermType", "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency"]
    out.writerow([*priced, "Product Family", *_COLUMNS.values()])
    for number, each in enumerate(products):
        said = [each["attributes"].get(name, "") for name in _COLUMNS]
        for begin, dollars in each["tiers"]:
            tier = [f"SKU{number}", "OnDemand", begin, "Inf", each["unit"], dollars, "USD"]
            out.writerow([*tier, each["family"], *said])
            out.writerow([f"SKU{number}", "Reserved", begin, "Inf", each["unit"], "0.01", "USD", "", *said])
    path.write_text(text.getvalue())
    return path


SKYPILOT = """\
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,Arch
g6.xlarge,L4,1.0,4.0,16.0,"{'Gpus': [{'Name': 'L4', 'Count': 1}]}",0.9,0.31,us-east-1,use1-az1,x86_64
g6.xlarge,L4,1.0,4.0,16.0,"{'Gpus': [{'Name': 'L4', 'Count': 1}]}",0.9,0.42,us-east-1,use1-az4,x86_64
g6.xlarge,L4,1.0,4.0,16.0,"{'Gpus': [{'Name': 'L4', 'Count': 1}]}",1.1,,eu-central-1,euc1-az2,x86_64
x9.huge,,,400.0,9000.0,,90.0,30.0,us-east-1,use1-az1,x86_64
"""
