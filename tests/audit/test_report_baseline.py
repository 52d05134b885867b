"""What was known before: what is new, what is known, what is gone, and what is no baseline."""

import json
from dataclasses import replace
from typing import Any

import pytest
from mixed_example import FOLDER, mixed

from policies.audit.baseline import BaselineError, Known, compare, read, written
from policies.audit.findings import Audit, Status
from policies.audit.outcome import Ending, Gate, Outcome
from policies.audit.reports import as_json


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.chdir(FOLDER)
    return mixed()


@pytest.fixture
def known(found: Audit) -> tuple[Known, ...]:
    return read(written(found.findings), "baseline.json")


def test_nothing_is_new_the_second_time(found: Audit, known: tuple[Known, ...]):
    outcome = Outcome(found, Gate(unread=False), compare(found.findings, known))
    assert outcome.shown == ()
    assert outcome.ending is Ending.CLEAN


def test_what_was_not_there_is_new_and_counts(found: Audit, known: tuple[Known, ...]):
    first = next(each for each in found.findings if each.status is Status.REFUSED)
    without = [each for each in known if each.fingerprint != first.fingerprint]
    outcome = Outcome(found, Gate(unread=False), compare(found.findings, without))
    assert outcome.shown == (first,)
    assert outcome.ending is Ending.FOUND


def test_what_is_no_more_is_gone(found: Audit, known: tuple[Known, ...]):
    rest = found.findings[1:]
    assert [each.fingerprint for each in compare(rest, known).gone] == [found.findings[0].fingerprint]


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
    assert (refused.fingerprint not in compare(found.findings, earlier).known) is new


def test_an_earlier_report_is_a_baseline(found: Audit, known: tuple[Known, ...]):
    report = as_json.report(Outcome(found))
    assert set(read(report, "audit.json")) == set(known)


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
