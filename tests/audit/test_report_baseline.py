"""What was known before: what is new, what is known, what is gone, and what is no baseline."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from audit_cases import TODAY, hostile
from mixed_example import FOLDER, mixed

from components.catalog import load as load_catalog
from components.placement import Waivers, settle
from policies.audit.baseline import BaselineError, Known, compare, read, written
from policies.audit.findings import Audit, Status, audit
from policies.audit.outcome import Ending, Gate, Outcome
from policies.audit.reports import as_json, sarif, words
from policies.audit.sources import Gathered
from policies.reading.functions import FUNCTION
from policies.resources import Location, Resource

Form: TypeAlias = Callable[[Outcome], str]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.chdir(FOLDER)
    return mixed()


@pytest.fixture
def known(found: Audit) -> tuple[Known, ...]:
    return read(written(found.findings), "baseline.json")


def test_nothing_is_new_the_second_time(found: Audit, known: tuple[Known, ...]):
    outcome = Outcome(found, Gate(unread=False), compare(found.findings, known, found.files))
    assert outcome.shown == ()
    assert outcome.ending is Ending.CLEAN


def test_what_was_not_there_is_new_and_counts(found: Audit, known: tuple[Known, ...]):
    first = next(each for each in found.findings if each.status is Status.REFUSED)
    without = [each for each in known if each.fingerprint != first.fingerprint]
    outcome = Outcome(found, Gate(unread=False), compare(found.findings, without, found.files))
    assert outcome.shown == (first,)
    assert outcome.ending is Ending.FOUND


def test_what_is_no_more_is_gone(found: Audit, known: tuple[Known, ...]):
    rest = found.findings[1:]
    assert [each.fingerprint for each in compare(rest, known, found.files).gone] == [
        found.findings[0].fingerprint
    ]


@pytest.mark.parametrize(
    ("before", "new"),
    [
        pytest.param(Status.WAIVED, True, id="a waiver that ran out"),
        pytest.param(Status.UNDECIDED, True, id="decided now"),
        pytest.param(Status.ADVISED_AGAINST, True, id="worse than advice"),
        pytest.param(Status.REFUSED, False, id="as bad as it was"),
    ],
)
def test_what_comes_to_worse_is_new(found: Audit, known: tuple[Known, ...], before: Status, *, new: bool):
    refused = next(each for each in found.findings if each.status is Status.REFUSED)
    earlier = [
        replace(each, status=before) if each.fingerprint == refused.fingerprint else each for each in known
    ]
    assert (refused.fingerprint not in compare(found.findings, earlier, found.files).known) is new


@pytest.mark.parametrize("form", [as_json.report, sarif.report], ids=["json", "sarif"])
def test_an_earlier_report_is_a_baseline(form: Form, found: Audit, known: tuple[Known, ...]):
    assert set(read(form(Outcome(found)), "earlier")) == set(known)


@pytest.mark.parametrize("form", [as_json.report, sarif.report], ids=["json", "sarif"])
def test_a_report_knows_every_name_however_it_is_shown(form: Form):
    found = hostile()
    known = read(form(Outcome(found)), "earlier")
    assert len(compare(found.findings, known, found.files).known) == len(found.findings)


BOUNDED = {"name": "F", "timeout": 3, "reservedConcurrentExecutions": 5}


def functions(**at: dict[str, Any]) -> Audit:
    """An audit of functions, each in a file of its own by its key, beside a bucket that no rule reads."""
    resources = [
        Resource(each, name, f"{file}.yaml#{name}", props, location=Location(f"{file}.yaml", 1))
        for file, props in at.items()
        for each, name in ((FUNCTION, "F"), ("aws:s3/bucket:Bucket", "B"))
        if props or each != FUNCTION
    ]
    return audit(Gathered(tuple(resources)), settle(load_catalog(), {}), Waivers((), TODAY))


def baseline_of(found: Audit, form: Form | None) -> tuple[Known, ...]:
    return read(form(Outcome(found)) if form is not None else written(found.findings), "earlier")


@pytest.mark.parametrize("form", [None, as_json.report, sarif.report], ids=["baseline", "json", "sarif"])
def test_a_safeguard_that_is_lost_is_new(form: Form | None):
    before, now = functions(a=BOUNDED), functions(a={"name": "F", "timeout": 3})
    known = baseline_of(before, form)
    outcome = Outcome(now, compared=compare(now.findings, known, now.files))
    assert outcome.ending is Ending.FOUND
    (finding,) = outcome.shown
    assert "(worse than in the baseline, by reserved concurrency)" in words.reason(finding)
    assert words.beside_baseline(outcome) == "0 findings known before, 1 worse since, 0 gone since"
    assert '"baselineState": "updated"' in sarif.report(outcome)
    told = json.loads(as_json.report(outcome))["findings"][0]
    assert (told["known"], told["counts"]) == (False, True)
    assert told["worse"] == "worse than in the baseline, by reserved concurrency"
    # The other way round it is better.
    better = compare(before.findings, baseline_of(now, form), before.files)
    assert not better.worse
    assert better.known


def test_an_older_baseline_knows_a_finding_whatever_was_broken():
    now = functions(a={"name": "F"})
    told = json.loads(written(now.findings))
    for each in told["findings"]:
        del each["broken"]
    assert compare(now.findings, read(json.dumps(told), "older.json"), now.files).known


@pytest.mark.parametrize(
    ("now", "new"),
    [
        pytest.param({"b": BOUNDED}, False, id="moved to another file"),
        pytest.param({"a": {}, "b": BOUNDED}, True, id="gone, and another one of its name added"),
        pytest.param({"a": BOUNDED, "b": BOUNDED}, True, id="another one of its name added"),
        pytest.param({"a": BOUNDED}, False, id="as it was"),
    ],
)
def test_a_resource_of_the_same_name_elsewhere(now: dict[str, dict[str, Any]], *, new: bool):
    found = functions(**now)
    compared = compare(found.findings, baseline_of(functions(a=BOUNDED), None), found.files)
    shown = [each.location.file for each in Outcome(found, compared=compared).shown]
    assert shown == (["b.yaml"] if new else [])
    assert bool(compared.gone) is ("a" in now and not now["a"])


def test_the_same_findings_give_the_same_text(found: Audit):
    assert written(found.findings) == written(tuple(reversed(found.findings)))


def test_nothing_of_a_secret_is_kept(found: Audit):
    assert "never-to-be-seen" not in written(found.findings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "[]",
        "{}",
        '{"halfmetal_baseline": 1}',
        '{"halfmetal_baseline": 1, "findings": [{}]}',
        '{"halfmetal_baseline": 1, "findings": [1]}',
        '{"halfmetal_baseline": 1, "findings": 1}',
        json.dumps({"halfmetal_baseline": 1, "findings": [{"fingerprint": 1, "rule": "x", "address": "y"}]}),
        '{"halfmetal_baseline": 2, "findings": []}',
        '{"version": "2.1.0", "runs": [1]}',
        '{"version": "2.1.0", "runs": [{"results": [{"partialFingerprints": {"halfmetal/v1": "x"}}]}]}',
    ],
)
def test_what_is_no_baseline(text: str):
    with pytest.raises(BaselineError) as error:
        read(text, "other.json")
    assert "other.json: is" in str(error.value)
    assert "remedy: " in str(error.value)


def test_a_report_of_another_tool_knows_nothing():
    other: dict[str, Any] = {"version": "2.1.0", "runs": [{"results": [{"ruleId": "x"}]}]}
    assert read(json.dumps(other), "other.sarif") == ()
