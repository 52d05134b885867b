"""From verdicts to findings: what they come to, what is one finding, and what stays the same between runs."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import (
    UNBOUNDED,
    Enforcement,
    Facts,
    Home,
    Override,
    Severity,
    Use,
    Waivers,
    settle,
)
from components.spec import Memory, Share, Waiver
from policies.audit.findings import Audit, Finding, Status, audit
from policies.audit.outcome import Ending, Gate, Outcome
from policies.audit.sources import Gathered, Unread
from policies.reading.bags import UNKNOWN
from policies.reading.functions import FUNCTION
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP
from policies.resources import Location, Resource

TODAY = datetime.date(2026, 11, 25)
YESTERDAY = datetime.date(2026, 11, 24)
BOUNDED = {"name": "embed", "timeout": 30, "reservedConcurrentExecutions": 20}


def waiver(rule: str, subject: str, expires: datetime.date = TODAY) -> Waiver:
    return Waiver(rule=rule, subject=subject, reason="it moves", owner="ops@example.com", expires=expires)


def resource(resource_type: str, name: str, /, file: str = "a.json", line: int = 1, **props: Any) -> Resource:
    urn = f"urn:{resource_type}::{name}"
    return Resource(resource_type, name, urn, props, location=Location(file, line))


def around(name: str = "embed") -> list[Resource]:
    """What a function needs beside it to be bounded."""
    return [
        resource(LOG_GROUP, f"{name}-log", name=f"/aws/lambda/{name}", retentionInDays=14),
        resource(
            ALARM,
            f"{name}-alarm",
            namespace="AWS/Lambda",
            dimensions={"FunctionName": name},
            alarmActions=["topic"],
        ),
        resource(
            BUDGET,
            "budget",
            limitAmount="9",
            notifications=[{"subscriberEmailAddresses": ["ops@example.com"]}],
        ),
    ]


def audited(
    *resources: Resource,
    waivers: tuple[Waiver, ...] = (),
    overrides: dict[str, Override] | None = None,
    unread: tuple[Unread, ...] = (),
) -> Audit:
    settings = settle(load_catalog(), overrides or {})
    return audit(Gathered(tuple(resources), unread), settings, Waivers(waivers, TODAY))


def of(found: Audit, rule: str) -> Finding:
    (finding,) = [each for each in found.findings if each.rule.id == rule]
    return finding


@dataclass(frozen=True)
class Case:
    id: str
    props: dict[str, Any]
    status: Status | None
    waivers: tuple[Waiver, ...] = ()
    overrides: dict[str, Override] = field(default_factory=dict)
    enforcement: Enforcement = Enforcement.MANDATORY
    uses: tuple[Use, ...] = ()


def busy(share: str) -> dict[str, Any]:
    return {**BOUNDED, "tags": Facts(home=Home.FUNCTION, utilization=Share.parse(share)).to_tags()}


BUSY = "sustained-utilization"
CASES = (
    Case("it fits", busy("3%"), None),
    Case("it is refused", busy("75%"), Status.REFUSED),
    Case("it is advised against", busy("40%"), Status.ADVISED_AGAINST, enforcement=Enforcement.ADVISORY),
    Case(
        "an advisory rule refuses",
        busy("75%"),
        Status.REFUSED,
        overrides={BUSY: Override(Enforcement.ADVISORY)},
        enforcement=Enforcement.ADVISORY,
    ),
    Case("a disabled rule", busy("75%"), None, overrides={BUSY: Override(Enforcement.DISABLED)}),
    Case(
        "it is undecided, and stated",
        {**BOUNDED, "tags": {"halfmetal:home": "function", "halfmetal:utilization": UNKNOWN}},
        Status.UNDECIDED,
    ),
    Case("it is undecided, and nobody's business", BOUNDED, None),
    Case("it is waived", busy("75%"), Status.WAIVED, (waiver(BUSY, "embed"),), uses=(Use.USED,)),
    Case(
        "it is waived by a pattern",
        busy("75%"),
        Status.WAIVED,
        (waiver(BUSY, "emb*"),),
        uses=(Use.USED,),
    ),
    Case(
        "advice is waived",
        busy("40%"),
        Status.WAIVED,
        (waiver(BUSY, "embed"),),
        enforcement=Enforcement.ADVISORY,
        uses=(Use.USED,),
    ),
    Case(
        "its waiver has expired",
        busy("75%"),
        Status.REFUSED,
        (waiver(BUSY, "embed", YESTERDAY),),
        uses=(Use.EXPIRED,),
    ),
    Case(
        "its waiver is of something else",
        busy("75%"),
        Status.REFUSED,
        (waiver(BUSY, "other"), waiver("local-state", "embed")),
        uses=(Use.UNUSED, Use.UNUSED),
    ),
    Case("a waiver of what fits", busy("3%"), None, (waiver(BUSY, "embed"),), uses=(Use.UNUSED,)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_a_finding_comes_to(case: Case):
    found = audited(resource(FUNCTION, "embed", **case.props), waivers=case.waivers, overrides=case.overrides)
    statuses = {each.rule.id: each for each in found.findings}
    if case.status is None:
        assert BUSY not in statuses
    else:
        finding = statuses[BUSY]
        assert (finding.status, finding.enforcement) == (case.status, case.enforcement)
        assert (finding.expired is not None) is (Use.EXPIRED in case.uses)
    assert tuple(use for _, use in found.waivers) == case.uses


def test_all_that_a_function_lacks_is_one_finding_whichever_resource_would_show_it():
    found = audited(resource(FUNCTION, "embed", name="embed", timeout=30))
    said = "it has no reserved concurrency, logs kept for ever, no alarm"
    assert of(found, "runaway-function").verdict.reason == said


def test_a_finding_outlives_an_edit_and_a_move_of_its_file():
    first = audited(resource(FUNCTION, "embed", timeout=30))
    other = resource(FUNCTION, "embed", timeout=30, file="b.json", line=70)
    other.props = {"timeout": 30, "memorySize": 512}
    assert of(first, "runaway-function").fingerprint == of(audited(other), "runaway-function").fingerprint


def test_an_address_that_begins_with_its_file_does_so_no_more():
    def at(file: str) -> str:
        each = replace(resource(FUNCTION, "embed", file=file, timeout=30), urn=f"{file}#Resources/Embed")
        return of(audited(each), "runaway-function").fingerprint

    assert at("prod/template.yaml") == at("staging/template.yaml")


def test_one_object_in_two_files_is_two_findings():
    both = [
        replace(resource(FUNCTION, "embed", file=file, timeout=30), urn=f"{file}#Embed")
        for file in ("prod.yaml", "staging.yaml")
    ]
    fingerprints = [each.fingerprint for each in audited(*both).findings]
    assert len(set(fingerprints)) == len(fingerprints)
    assert fingerprints[1] == f"{fingerprints[0]}-2"


def test_findings_come_most_harmful_first_and_then_as_one_reads():
    found = audited(
        resource(FUNCTION, "late", line=90, timeout=30),
        resource(
            FUNCTION, "early", line=9, timeout=30, tags=Facts(home=Home.FUNCTION, ties=("sns",)).to_tags()
        ),
        overrides={},
    )
    told = [(each.severity, each.resource.name) for each in found.findings if each.status is Status.REFUSED]
    assert told == [(Severity.HIGH, "early"), (Severity.HIGH, "late"), (Severity.LOW, "early")]


def test_what_was_looked_at_and_what_was_kept():
    found = audited(resource(FUNCTION, "embed", **BOUNDED), *around(), resource("aws:s3/bucket:Bucket", "b"))
    assert (found.looked_at, found.judged) == (5, 1)
    assert ("runaway-function", "embed") in {(rule.id, each.name) for rule, each in found.passed}
    assert not found.findings


# -- how it ends

UNREADABLE = (Unread(Location("chart.yaml", 4), "is a template", "render it"),)


DEFAULT = Gate()


@dataclass(frozen=True)
class End:
    id: str
    ending: Ending
    gate: Gate = DEFAULT
    props: dict[str, Any] = field(default_factory=lambda: {"timeout": 30})
    unread: tuple[Unread, ...] = ()
    waivers: tuple[Waiver, ...] = ()


OPEN = {**BOUNDED, "reservedConcurrentExecutions": UNKNOWN}
ENDS = (
    End("a mandatory rule is broken", Ending.FOUND),
    End("nothing is", Ending.CLEAN, props=BOUNDED),
    End("less harm than counts", Ending.CLEAN, Gate(Severity.CRITICAL)),
    End("less counts", Ending.FOUND, Gate(Severity.LOW)),
    End("nothing counts", Ending.CLEAN, Gate(None)),
    End("it is waived", Ending.CLEAN, waivers=(waiver("runaway-function", "embed"),)),
    End("its waiver expired", Ending.FOUND, waivers=(waiver("runaway-function", "embed", YESTERDAY),)),
    End("it is undecided", Ending.CLEAN, props=OPEN),
    End("it is undecided, and that counts", Ending.FOUND, Gate(undecided=True), props=OPEN),
    End("something was not read", Ending.UNREAD, props=BOUNDED, unread=UNREADABLE),
    End("something was not read beside a breach", Ending.UNREAD, unread=UNREADABLE),
    End("something was not read, and may be", Ending.FOUND, Gate(unread=False), unread=UNREADABLE),
)


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case.id)
def test_how_it_ends(case: End):
    found = audited(
        resource(FUNCTION, "embed", **case.props), *around(), waivers=case.waivers, unread=case.unread
    )
    assert Outcome(found, case.gate).ending is case.ending


def test_a_placed_workload_that_says_everything_has_no_finding():
    facts = Facts(
        workload="embed",
        home=Home.FUNCTION,
        memory=Memory.of(1, "GiB"),
        accelerator_count=0,
        cold_start_tolerance=UNBOUNDED,
        jitter=UNBOUNDED,
        local_cache=False,
        state=(),
        compliance=(),
        twin=False,
        ties=(),
        utilization=Share.parse("3%"),
    )
    function = resource(FUNCTION, "embed", **BOUNDED, tags=facts.to_tags())
    found = audited(function, *around(), overrides={"long-execution": Override(Enforcement.DISABLED)})
    assert [str(each.verdict.reason) for each in found.findings] == []
