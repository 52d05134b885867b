"""Waivers: whose breach they take the force of, on which day, and what they leave as it was."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.placement import PlacementError, Placements, Use, Waivers, decide
from components.placement.plan import plan
from components.spec import StackError, Waiver, load
from tests.spec.stack_examples import HYBRID, PURE, changed

BUDGETED = {
    "workloads[0].placement.home": "function",
    "control_plane.budget": {"limit": "$500/month", "notify": ["ops@example.com"]},
}
TODAY = date(2026, 11, 25)
RULE = "memory-over-function-limit"
WAIVER = {
    "rule": RULE,
    "subject": "embed",
    "reason": "the model is being pruned",
    "owner": "ml@example.com",
    "expires": "2026-12-31",
}


def _decided(*waivers: dict[str, Any], today: date = TODAY) -> Placements:
    """A stack whose only workload breaks one mandatory rule."""
    policies = {"rules": {RULE: {"on_demand": "128MiB"}}, "waivers": list(waivers)}
    return decide(load(changed(PURE, {**BUDGETED, "policies": policies}))).on(today)


@pytest.mark.parametrize(
    ("waiver", "today", "use"),
    [
        pytest.param({}, TODAY, Use.USED, id="in force"),
        pytest.param({}, date(2026, 12, 31), Use.USED, id="on its last day"),
        pytest.param({}, date(2027, 1, 1), Use.EXPIRED, id="the day after"),
        pytest.param({"subject": "emb*"}, TODAY, Use.USED, id="by a pattern"),
        pytest.param({"subject": "chat"}, TODAY, Use.UNUSED, id="of another subject"),
        pytest.param({"subject": "embe"}, TODAY, Use.UNUSED, id="of part of the name"),
        pytest.param({"rule": "local-state"}, TODAY, Use.UNUSED, id="of another rule"),
    ],
)
def test_what_comes_of_a_waiver(waiver: dict[str, Any], today: date, use: Use):
    placements = _decided(WAIVER | waiver, today=today)
    finding = next(finding for finding in placements.findings if finding.subject == "embed")
    assert finding.rule == RULE
    assert finding.blocks == (use is not Use.USED)
    assert [each for _, each in placements.waivers] == [use]
    said = {
        Use.USED: "waived until 2026-12-31 by ml@example.com: the model is being pruned",
        Use.EXPIRED: "the waiver of ml@example.com expired on 2026-12-31: the model is being pruned",
        Use.UNUSED: "",
    }[use]
    assert (str(finding.waived) if finding.waived else "") == said


def test_a_waived_stack_may_be_deployed_and_an_expired_waiver_is_named_where_it_is_refused():
    others = [WAIVER | {"subject": "control-plane"}]
    _decided(WAIVER, *others).raise_if_refused()
    with pytest.raises(PlacementError, match=r"the waiver of ml@example\.com expired on 2026-12-31"):
        _decided(WAIVER, *others, today=date(2027, 1, 1)).raise_if_refused()


@pytest.mark.parametrize(("subject", "waived"), [("gpu-a", True), ("cpu-a", False), ("embed", True)])
def test_a_waiver_of_a_pool_is_one_of_what_runs_on_it(subject: str, waived: bool):  # noqa: FBT001 - a row
    rule = "jitter-budget"
    policies = {
        "rules": {rule: {"metal_below": "1ms"}},
        "waivers": [WAIVER | {"rule": rule, "subject": subject}],
    }
    changes = {"workloads[0].placement": {"home": "pool", "pool": "gpu-a"}, "policies": policies}
    found = decide(load(changed(HYBRID, changes))).on(TODAY).findings
    (finding,) = [each for each in found if each.rule == rule]
    assert finding.subject == "embed"
    assert (finding.waived is not None) == waived


def test_of_two_waivers_the_longer_one_counts():
    longer = WAIVER | {"subject": "embed*", "expires": "2027-06-30"}
    found = _decided(WAIVER, longer, today=date(2027, 1, 1))
    assert [use for _, use in found.waivers] == [Use.EXPIRED, Use.USED]
    assert not any(finding.blocks for finding in found.findings if finding.subject == "embed")


def test_a_plan_names_waivers_that_do_not_count():
    policies = {"rules": {RULE: {"on_demand": "128MiB"}}, "waivers": [WAIVER | {"subject": "chat"}, WAIVER]}
    made = plan(load(changed(PURE, {**BUDGETED, "policies": policies})), today=TODAY)
    said = [f"{warning.subject}: {warning.message}" for warning in made.warnings]
    assert f"chat: unused waiver of {RULE} by ml@example.com" in said
    assert any("waived until 2026-12-31" in each for each in said)


@pytest.mark.parametrize(
    ("waivers", "at", "message"),
    [
        pytest.param([WAIVER | {"subject": "*"}], "[0].subject", "names everything", id="no scope"),
        pytest.param([WAIVER | {"subject": "e[m]"}], "[0].subject", "is not the name", id="no name"),
        pytest.param([WAIVER | {"expires": "soon"}], "[0].expires", "is not a day", id="no day"),
        pytest.param([WAIVER | {"reason": ""}], "[0].reason", "", id="no reason"),
        pytest.param([{**WAIVER, "rule": "no-rule"}], "[0]", "", id="no rule"),
        pytest.param([{k: v for k, v in WAIVER.items() if k != "owner"}], "[0].owner", "", id="no owner"),
        pytest.param([WAIVER, WAIVER], "[1]", "is waived for", id="said twice"),
    ],
)
def test_a_waiver_that_makes_no_sense_is_refused(waivers: list[dict[str, Any]], at: str, message: str):
    with pytest.raises(StackError) as error:
        load(changed(PURE, {"policies": {"waivers": waivers}}))
    (problem,) = error.value.problems
    assert problem.path.startswith(f"policies.waivers{at}")
    assert message in problem.message
    assert problem.remedy


@given(days=st.integers(-400, 400), subject=st.sampled_from(["embed", "emb*", "*-a", "chat"]))
def test_a_waiver_counts_until_its_last_day_and_for_its_subject_alone(days: int, subject: str):
    expires = TODAY + timedelta(days=days)
    waiver = Waiver.model_validate({**WAIVER, "subject": subject, "expires": expires})
    found = Waivers((waiver,), TODAY).of(RULE, "embed")
    if subject in ("embed", "emb*"):
        assert found is not None
        assert found.expired == (days < 0)
    else:
        assert found is None
    assert Waivers((waiver,), TODAY).of("local-state", "embed") is None
