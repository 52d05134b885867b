"""What differs, how, and what that means for the resource."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_driver import Driver, permit, urn_of

from sandbox.aws.provider.compare import Rules, blank
from sandbox.aws.provider.diff import DEFAULTS, Diff, diff
from sandbox.aws.provider.provider import Known, plan_of
from sandbox.aws.provider.values import UNKNOWN, Archive, Bag

RULES = Rules(frozenset({"set", "object.set"}), frozenset({"decided", "object.decided"}), {})
POLICY = permit("s3:Get", "s3:Put")


def of(token: str, old: Bag, new: Bag, said: Bag | None = None) -> Diff:
    return diff(plan_of(token).entry, old if said is None else said, old, new)


def shown(found: Diff) -> dict[str, str]:
    return {change.shown: change.kind for change in found.changes}


@pytest.mark.parametrize(
    ("new", "old", "said", "changes"),
    [
        pytest.param({"a": 1}, {"a": 1}, {"a": 1}, {}, id="nothing changed"),
        pytest.param({"a": 2}, {"a": 1}, {"a": 1}, {"a": "update"}, id="a value changed"),
        pytest.param({"a": 1}, {}, {}, {"a": "add"}, id="a value is new"),
        pytest.param({}, {"a": 1}, {"a": 1}, {"a": "delete"}, id="a value was dropped"),
        pytest.param({}, {"a": 1}, {}, {}, id="a value that was never asked for is the service's"),
        pytest.param({"a": False}, {}, {}, {}, id="nothing and false are the same"),
        pytest.param({"a": {}}, {"a": {"b": "", "c": []}}, {}, {}, id="nothing is nothing at any depth"),
        pytest.param({"a": False}, {"a": True}, {"a": True}, {"a": "update"}, id="switched off"),
        pytest.param({"a": "5"}, {"a": 5}, {"a": "5"}, {}, id="a number written as text"),
        pytest.param({"a": True}, {"a": "true"}, {"a": True}, {}, id="a switch written as text"),
        pytest.param({"a": UNKNOWN}, {"a": 1}, {"a": 1}, {"a": "update"}, id="not known yet"),
        pytest.param({}, {"decided": 1}, {"decided": 1}, {}, id="the service decides when it is dropped"),
        pytest.param(
            {"m": {"x": 1, "y": 3}},
            {"m": {"x": 1, "y": 2, "z": 4}},
            {"m": {"x": 1, "y": 2, "z": 4}},
            {"m.y": "update", "m.z": "delete"},
            id="inside an object",
        ),
        pytest.param(
            {"m": {"kubernetes.io/role": "a"}},
            {"m": {"kubernetes.io/role": "b"}},
            {},
            {'m["kubernetes.io/role"]': "update"},
            id="a key that is no name is quoted",
        ),
        pytest.param(
            {"list": [1, 2, 3]},
            {"list": [1, 3]},
            {},
            {"list[1]": "update", "list[2]": "add"},
            id="a list in order",
        ),
        pytest.param({"set": [3, 1]}, {"set": [1, 3]}, {}, {}, id="a set has no order"),
        pytest.param(
            {"set": [1, 4]}, {"set": [3, 1]}, {}, {"set[1]": "add", "set[0]": "delete"}, id="a set's members"
        ),
        pytest.param(
            {"set": [{"x": 1}]}, {"set": [{"x": 1, "y": 2}]}, {}, {}, id="a member that the service completed"
        ),
        pytest.param(
            {"object": {"x": 1}},
            {"object": {"x": 1, "decided": 2, "other": 3}},
            {"object": {"x": 1, "decided": 2}},
            {},
            id="what the service filled in",
        ),
        pytest.param(
            {"code": Archive("path", "b", "1")},
            {"code": Archive("assets", {}, "1")},
            {},
            {},
            id="same content",
        ),
        pytest.param(
            {"code": Archive("path", "a", "2")},
            {"code": Archive("path", "a", "1")},
            {},
            {"code": "update"},
            id="other content at the same place",
        ),
    ],
)
def test_changes(new: Bag, old: Bag, said: Bag, changes: dict[str, str]) -> None:
    found = {}
    for name in sorted(new.keys() | said.keys()):
        for change in RULES.changes(new.get(name), old.get(name), said.get(name), name, name):
            found[change.shown] = change.kind
    assert found == changes


scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b"]))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(trees, st.sampled_from(["list", "set"]))
def test_a_thing_does_not_differ_from_itself(value: Any, path: str) -> None:
    assert RULES.same(value, value, path)


@given(trees, trees)
def test_a_difference_shows_from_both_sides(one: Any, other: Any) -> None:
    """With everything spelled out on both sides, if one differs from the other, so does the other from it."""
    there = any(RULES.changes(one, other, other, "x", "x"))
    back = any(RULES.changes(other, one, one, "x", "x"))
    assert there == back


@given(st.lists(st.integers(0, 5), max_size=5), st.randoms())
def test_a_set_in_any_order_is_the_same(items: list[int], chance: Any) -> None:
    mixed = list(items)
    chance.shuffle(mixed)
    assert RULES.same(items, mixed, "set")


@given(trees)
def test_nothing_is_blank_all_the_way(value: Any) -> None:
    assert blank({"a": value}) == blank(value)


# -- types -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(POLICY, POLICY.replace(": ", ":").replace(", ", ","), id="white space"),
        pytest.param(permit("a", "b"), permit("b", "a"), id="order of actions"),
        pytest.param(permit("a"), permit("a").replace('["a"]', '"a"'), id="a list of one"),
        pytest.param(permit("a"), "%7B" + permit("a")[1:].replace(" ", "%20"), id="percent-encoded"),
    ],
)
def test_policies_that_mean_the_same(old: str, new: str) -> None:
    token = "aws:iam/rolePolicy:RolePolicy"
    assert not of(token, {"policy": old}, {"policy": new}).changes


def test_a_policy_differs_as_a_whole() -> None:
    found = of("aws:iam/rolePolicy:RolePolicy", {"policy": permit("a")}, {"policy": permit("b")})
    assert shown(found) == {"policy": "update"}


def test_security_group_blocks_are_compared_as_the_rules_they_stand_for() -> None:
    token = "aws:ec2/securityGroup:SecurityGroup"
    port = {"protocol": "tcp", "fromPort": 80, "toPort": 80}
    apart = {"ingress": [{**port, "cidrBlocks": ["10.0.0.0/8"]}, {**port, "self": True}]}
    together = {"ingress": [{**port, "cidrBlocks": ["10.0.0.0/8"], "self": True}]}
    assert not of(token, apart, together).changes
    assert of(token, apart, {"ingress": [{**port, "self": True}]}).changes


def test_what_replaces_is_marked_where_it_is() -> None:
    token = "aws:eks/nodeGroup:NodeGroup"
    old = {"labels": {"a": "b"}, "launchTemplate": {"id": "lt-1", "version": "1"}, "clusterName": "c"}
    version = of(token, old, {**old, "launchTemplate": {"id": "lt-1", "version": "2"}})
    template = of(token, old, {**old, "launchTemplate": {"id": "lt-2", "version": "1"}})
    assert shown(version) == {"launchTemplate.version": "update"}
    assert not version.replacing
    assert template.replacing == {"launchTemplate.id"}


@pytest.mark.parametrize(
    ("old", "new", "made_up", "first"),
    [
        pytest.param({"name": "x"}, {"name": "x"}, [], True, id="a fixed name is free only after the delete"),
        pytest.param({"name": "x"}, {"name": "y"}, [], False, id="another name"),
        pytest.param({"name": "x"}, {"name": "x"}, ["name"], False, id="a made-up name gets a successor"),
        pytest.param({"name": "x"}, {"name": UNKNOWN}, [], False, id="a name that is not known yet"),
    ],
)
def test_delete_before_replace(old: Bag, new: Bag, made_up: list[str], first: bool) -> None:  # noqa: FBT001
    found = of("aws:iam/role:Role", {**old, "path": "/a/"}, {**new, "path": "/b/", DEFAULTS: made_up})
    assert found.replacing >= {"path"}
    assert found.delete_before_replace is first


def test_a_network_balancer_cannot_get_its_first_security_group() -> None:
    token = "aws:lb/loadBalancer:LoadBalancer"
    old = {"loadBalancerType": "network", "securityGroups": []}
    found = of(token, old, {"loadBalancerType": "network", "securityGroups": ["sg-1"]})
    assert found.replacing
    application = {"loadBalancerType": "application", "securityGroups": ["sg-2"]}
    assert not of(token, application, {**application, "securityGroups": ["sg-1"]}).replacing


def test_an_item_with_other_keys_is_another_item() -> None:
    token, keys = "aws:dynamodb/tableItem:TableItem", {"hashKey": "pk", "tableName": "t"}
    old = {**keys, "item": '{"pk": {"S": "a"}, "n": {"N": "1"}}'}
    assert not of(token, old, {**keys, "item": '{"pk": {"S": "a"}, "n": {"N": "2"}}'}).replacing
    assert of(token, old, {**keys, "item": '{"pk": {"S": "b"}}'}).replacing


def test_a_resource_does_not_follow_the_provider_into_another_region(offline: Driver) -> None:
    urn, inputs = urn_of("aws:sns/topic:Topic"), {"name": "t"}
    known = Known("arn", inputs, {"name": "t", "region": "eu-west-1"})
    found = offline.provider.diff(urn, known, inputs)
    assert shown(found) == {"region": "update"}
    assert found.replacing == {"region"}


def test_preview_of_an_update_knows_what_will_change(offline: Driver) -> None:
    urn = urn_of("aws:lambda/function:Function")
    old = {"timeout": 3, "publish": True}
    state = {**old, "version": "1", "arn": "arn:aws:lambda:us-east-1:1:function:f", "lastModified": "then"}
    after = offline.provider.preview_update(urn, Known("f", old, state), {**old, "timeout": 5})
    assert after["timeout"] == 5
    assert after["arn"] == state["arn"]
    assert after["version"] is after["lastModified"] is UNKNOWN
