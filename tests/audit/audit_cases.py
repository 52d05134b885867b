"""Audits made by hand: any number of findings, and names that mean harm."""

import datetime
from collections.abc import Sequence

from components.catalog import load as load_catalog
from components.placement import Facts, Home, Waivers, settle
from components.spec import Share, Waiver
from policies.audit.findings import Audit, audit
from policies.audit.sources import Gathered, Kind, Unread
from policies.reading.bags import UNKNOWN
from policies.reading.functions import FUNCTION
from policies.resources import Location, Resource

TODAY = datetime.date(2026, 11, 25)
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "]]></testcase><!--",
    "a|b | c\n| d",
    "`x` ``y`` *b* _i_ [l](http://example.com) <b>",
    "@everyone #1 http://example.com www.example.com GH-1",
    "\x1b[31mred\x1b]8;;http://example.com\x07link\r\n",
    "left\u202eright\u2066\u200f",
    "\x00\x01\x7f\x85\u2028\ufeff\ufffe\ud800",
    "&amp;&#60;&lt;",
    "x" * 5000,
    "",
    "--> <!-- halfmetal-audit -->",
    "../../etc/passwd",
    "halfmetal:a b%20c?d#e",
)


def named(names: Sequence[str], *, unread: str = "chart.yaml", waiver: str = "nobody answers") -> Audit:
    """An audit in which everything that can have a name has one of these."""
    resources = []
    for number, name in enumerate(names, start=1):
        facts = Facts(workload=name, home=Home.FUNCTION, utilization=Share.parse("75%"), ties=(name or "x",))
        tags: dict[str, object] = {**facts.to_tags(), "halfmetal:jitter": UNKNOWN}
        where = Location(name, number, number) if number % 2 else None
        resources.append(
            Resource(FUNCTION, name, f"urn:{number}:{name}", {"name": name, "tags": tags}, location=where)
        )
    # Half of a surrogate pair no stack file gets past its own check.
    said = waiver.encode("utf-8", "replace").decode()[:100] or "x"
    waivers = [
        Waiver(rule=rule, subject="*e*", reason=said, owner=said, expires=day)
        for rule, day in (
            ("sustained-utilization", TODAY),
            ("vendor-lock-in", TODAY - datetime.timedelta(days=1)),
            ("zone-capacity", TODAY),
        )
    ]
    left = (Unread(Location(unread, 3), unread or "x", unread or "x"),)
    gathered = Gathered(tuple(resources), left, {Kind.PULUMI: len(resources)})
    return audit(gathered, settle(load_catalog(), {}), Waivers(tuple(waivers), TODAY))


def hostile() -> Audit:
    """Names that mean harm, everywhere."""
    return named(HOSTILE, unread=HOSTILE[0], waiver=HOSTILE[1])


def many(count: int) -> Audit:
    """So many functions, each of which breaks rules."""
    return named([f"function-{number}" for number in range(count)])
