"""Remediation: what is absent is set where that is safe, and everything else goes back as it came."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.deserialize import SPECIAL_ASSET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, UNKNOWN_OBJECT_VALUE, UNKNOWN_STRING_VALUE

from components.placement import Facts, Home, StateRead, Waivers
from components.spec import Duration, Guardrails, Memory, Waiver
from policies.pack import Said
from policies.pack.remediation import REMEDIABLE
from policies.reading.functions import FUNCTION
from policies.reading.relations import LOG_GROUP
from tests.pack_in_process import PackInProcess, Sent, secret

EVERY = Said(remediate=REMEDIABLE)
A, B = "us-east-1a", "us-east-1b"
ZONE = "topology.kubernetes.io/zone"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
POD = "kubernetes:core/v1:Pod"
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
GPU = {"name": "model", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
CODE = {SPECIAL_SIG_KEY: SPECIAL_ASSET_SIG, "path": "./dist", "hash": "0" * 64}
HARD_TO_KEEP = {
    "code": CODE,
    "environment": {"variables": {"KEY": secret("hunter2"), "URL": UNKNOWN_STRING_VALUE}},
    "layers": [UNKNOWN_STRING_VALUE, secret(UNKNOWN_STRING_VALUE)],
    "role": UNKNOWN_STRING_VALUE,
    "vpcConfig": UNKNOWN_OBJECT_VALUE,
    "description": None,
}


def _function(**props: Any) -> Sent:
    return Sent(FUNCTION, "embed", {"memorySize": 512, "timeout": 30, **props})


def _pods(spec: dict[str, Any], facts: Facts | None = None) -> Sent:
    template = {"spec": {"containers": [{"name": "model"}], **spec}}
    metadata = {"name": "chat", "annotations": facts.to_annotations() if facts is not None else {}}
    return Sent(DEPLOYMENT, "chat", {"metadata": metadata, "spec": {"replicas": 1, "template": template}})


def _reads_in(*zones: str, may_be_in: tuple[str, ...] = (A, B)) -> Facts:
    return Facts(
        workload="chat",
        home=Home.POOL,
        zones=may_be_in,
        state=(StateRead("kv", zones),),
        state_bytes=Memory.of(64, "KiB"),
        latency_p99=Duration.of(41, "ms"),
        service_time=Duration.of(40, "ms"),
    )


@dataclass(frozen=True)
class Case:
    id: str
    sent: Sent
    path: tuple[str, ...] = ()
    """Where a value is set; nowhere if empty."""
    value: Any = None
    said: Said = field(default_factory=lambda: EVERY)


def _waived(rule: str, subject: str, expires: date) -> Said:
    waiver = Waiver(rule=rule, subject=subject, reason="it must", owner="ml@example.com", expires=expires)
    return Said(remediate=REMEDIABLE, waivers=Waivers((waiver,), date(2026, 11, 25)))


RESERVED = ("reservedConcurrentExecutions",)
RETENTION = ("retentionInDays",)
TOLERATIONS = ("spec", "template", "spec", "tolerations")
SELECTOR = ("spec", "template", "spec", "nodeSelector", ZONE)
CASES = [
    Case("a function without reserved concurrency", _function(), RESERVED, 20.0),
    Case("null is absent", _function(reservedConcurrentExecutions=None), RESERVED, 20.0),
    Case("what else is there stays", _function(**HARD_TO_KEEP), RESERVED, 20.0),
    Case(
        "as the stack's guardrails have it",
        _function(),
        RESERVED,
        7.0,
        Said(remediate=REMEDIABLE, guardrails=Guardrails(reserved_concurrency=7)),
    ),
    Case(
        "guardrails that want none",
        _function(),
        said=Said(remediate=REMEDIABLE, guardrails=Guardrails(reserved_concurrency=None)),
    ),
    Case(
        "a provider's default",
        _function(reservedConcurrentExecutions=-1, __defaults=["reservedConcurrentExecutions"]),
        RESERVED,
        20.0,
    ),
    Case(
        "stated beside a provider's defaults", _function(reservedConcurrentExecutions=-1, __defaults=["name"])
    ),
    Case("stated", _function(reservedConcurrentExecutions=3)),
    Case("stated to be none", _function(reservedConcurrentExecutions=-1)),
    Case("not known yet", _function(reservedConcurrentExecutions=UNKNOWN_NUMBER_VALUE)),
    Case("secret", _function(reservedConcurrentExecutions=secret(3))),
    Case("a timeout that is too long, but stated", _function(reservedConcurrentExecutions=3, timeout=9_999)),
    Case("waived", _function(), said=_waived("runaway-function", "embed", date(2027, 1, 31))),
    Case(
        "no more waived",
        _function(),
        RESERVED,
        20.0,
        _waived("runaway-function", "embed", date(2026, 1, 31)),
    ),
    Case("switched off", _function(), said=Said()),
    Case("another rule is on", _function(), said=Said(remediate=frozenset({"state-locality"}))),
    Case("a log group that keeps all", Sent(LOG_GROUP, "logs", {"name": "/aws/lambda/a"}), RETENTION, 14.0),
    Case("a log group that states for ever", Sent(LOG_GROUP, "logs", {"retentionInDays": 0})),
    Case(
        "a log group that is waived",
        Sent(LOG_GROUP, "logs", {}),
        said=_waived("runaway-function", "logs", date(2027, 1, 31)),
    ),
    Case("pods that ask for a GPU", _pods({"containers": [GPU]}), TOLERATIONS, [TOLERATION]),
    Case(
        "one pod that asks for a slice of one",
        Sent(
            POD,
            "chat",
            {"spec": {"containers": [{"resources": {"requests": {"nvidia.com/mig-1g.5gb": 1}}}]}},
        ),
        ("spec", "tolerations"),
        [TOLERATION],
    ),
    Case(
        "pods of a job by the clock",
        Sent(
            "kubernetes:batch/v1:CronJob",
            "nightly",
            {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [GPU]}}}}}},
        ),
        ("spec", "jobTemplate", "spec", "template", "spec", "tolerations"),
        [TOLERATION],
    ),
    Case("pods that ask for none", _pods({})),
    Case(
        "pods that ask for no GPU of them", _pods({"containers": [{"resources": {"limits": {"cpu": "1"}}}]})
    ),
    Case("pods that tolerate something", _pods({"containers": [GPU], "tolerations": []})),
    Case(
        "tolerations that are not known yet",
        _pods({"containers": [GPU], "tolerations": UNKNOWN_STRING_VALUE}),
    ),
    Case("containers that are secret", _pods({"containers": secret([GPU])})),
    Case("pods whose state is in one of their zones", _pods({}, _reads_in(A)), SELECTOR, A),
    Case("beside another label", _pods({"nodeSelector": {"disk": "ssd"}}, _reads_in(A)), SELECTOR, A),
    Case("state in both zones", _pods({}, _reads_in(A, B, may_be_in=(A, B, "us-east-1c")))),
    Case("state in a zone they are not in", _pods({}, _reads_in("us-east-1c"))),
    Case("a zone that is stated", _pods({"nodeSelector": {ZONE: B}}, _reads_in(A))),
    Case("a selector that is not known yet", _pods({"nodeSelector": UNKNOWN_STRING_VALUE}, _reads_in(A))),
    Case("a selector that is secret", _pods({"nodeSelector": secret({"disk": "ssd"})}, _reads_in(A))),
    Case("a selector that is no mapping", _pods({"nodeSelector": "disk=ssd"}, _reads_in(A))),
    Case("a spec that is secret", Sent(DEPLOYMENT, "chat", {"spec": secret({"template": {}})})),
    Case("a bucket", Sent("aws:s3/bucket:Bucket", "logs", {})),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_absent_is_set_and_nothing_else(case: Case):
    changed = PackInProcess(case.said).remediate(case.sent)
    if not case.path:
        assert changed is None
        return
    assert changed is not None
    assert _taken(changed, case.path) == case.value
    before = json.loads(json.dumps(case.sent.props))
    _taken(before, case.path)
    if case.path[-1] in before.get("__defaults", ()):
        before["__defaults"].remove(case.path[-1])
    assert _without_empty(changed) == _without_empty(before)


def _taken(props: dict[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path, which is then gone."""
    *around, last = path
    within = props
    for step in around:
        within = within.get(step, {})
    return within.pop(last, None)


def _without_empty(value: Any) -> Any:
    """A value without mappings and nulls that hold nothing: that is what a path to a value was made of."""
    if isinstance(value, dict):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ({}, [], None)}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def test_what_is_remediated_is_not_refused():
    pack = PackInProcess(EVERY)
    changed = pack.remediate(_function())
    assert changed is not None
    assert "runaway-function" not in pack.analyze(Sent(FUNCTION, "embed", changed))


def test_what_cannot_be_remediated_is_refused():
    pack = PackInProcess(EVERY)
    stated = _function(reservedConcurrentExecutions=-1)
    assert pack.remediate(stated) is None
    assert pack.levels(stated)["runaway-function"] == "MANDATORY"


def test_two_rules_remediate_one_resource():
    spec = {"containers": [{**GPU, "env": [{"name": "KEY", "value": secret("hunter2")}]}]}
    changed = PackInProcess(EVERY).remediate(_pods(spec, _reads_in(A)))
    assert changed is not None
    pod = changed["spec"]["template"]["spec"]
    assert pod["tolerations"] == [TOLERATION]
    assert pod["nodeSelector"] == {ZONE: A}
    assert pod["containers"][0]["env"][0]["value"] == secret("hunter2")


def test_the_configuration_of_a_run_switches_it_on_and_off():
    pack = PackInProcess()
    pack.configure({"runaway-function": {"enforcementLevel": "remediate"}})
    assert pack.remediate(_function()) is not None
    pack.configure({"runaway-function": {"enforcementLevel": "mandatory"}})
    assert pack.remediate(_function()) is None


_sent = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9).map(float)
    | st.text(max_size=3)
    | st.sampled_from([UNKNOWN_STRING_VALUE, UNKNOWN_NUMBER_VALUE, secret("hunter2"), secret(1.0), CODE]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*HARD_TO_KEEP, "tags", "name", "timeout"]), _sent))
def test_unknowns_secrets_and_files_go_back_as_they_came(props: dict[str, Any]):
    changed = PackInProcess(EVERY).remediate(Sent(FUNCTION, "embed", props))
    if changed is not None:
        for name in ("reservedConcurrentExecutions", "timeout"):
            if props.get(name) is None:
                changed.pop(name, None)
        assert changed == {name: value for name, value in props.items() if name in changed}
        assert {name for name, value in props.items() if value is not None} <= changed.keys()
