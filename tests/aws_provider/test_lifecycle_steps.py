"""Creating, updating and deleting against a service made of a script: order, retries, waiting, giving up."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.provider import lifecycle, reading
from sandbox.aws.provider.config import Config
from sandbox.aws.provider.errors import (
    CancelledError,
    DeadlineError,
    HalfDoneError,
    MissingError,
    ProviderError,
    RefusedError,
)
from sandbox.aws.provider.ledger import Ledger
from sandbox.aws.provider.operation import Operation
from sandbox.aws.provider.plan import Plan
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.table import find
from sandbox.aws.provider.table.model import Wait
from sandbox.aws.provider.values import Bag

Answer = Bag | Exception | Callable[[Bag], Bag]
URN = "urn:pulumi:dev::proj::aws:sns/topic:Topic::x"


def refused(code: str, message: str = "no") -> RefusedError:
    return RefusedError("a call", code, message)


@dataclass
class Script(Services):
    """Answers each operation from a list; the last answer stands."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, Bag]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(Config("us-east-1", endpoint="http://127.0.0.1:9"))

    def call(self, service: str, region: str, operation: str, members: Bag) -> Bag:  # noqa: ARG002
        self.asked.append((operation, members))
        if operation == "GetCallerIdentity":
            return {"Account": "000000000000"}
        left = self.answers.get(operation, [{}])
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(members) if callable(answer) else answer

    def pages(self, service: str, region: str, operation: str, members: Bag) -> list[Bag]:
        return [self.call(service, region, operation, members)]

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    def members(self, operation: str) -> list[Bag]:
        return [members for name, members in self.asked if name == operation]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, "here")


def operation(token: str, script: Script, inputs: Bag, **more: Any) -> Operation:
    return Operation(Plan(find(token)), script, "us-east-1", inputs, **more)


ARN = "arn:aws:sns:us-east-1:000000000000:x"
TOPIC: dict[str, list[Answer]] = {
    "CreateTopic": [{"TopicArn": ARN}],
    "GetTopicAttributes": [{"Attributes": {"TopicArn": ARN, "DisplayName": "", "Owner": "000000000000"}}],
    "ListTagsForResource": [{"Tags": []}],
}


def topic(script: Script, inputs: Bag | None = None, **more: Any) -> Operation:
    return operation("aws:sns/topic:Topic", script, {"name": "x"} if inputs is None else inputs, **more)


# -- create ------------------------------------------------------------------------------------------


def test_an_intent_is_noted_before_the_call_and_the_id_after(ledger: Ledger) -> None:
    seen = []

    def create(_: Bag) -> Bag:
        seen.append(ledger.get(URN))
        return {"TopicArn": ARN}

    lifecycle.create(topic(Script({**TOPIC, "CreateTopic": [create]})), ledger, URN)
    (intent,) = seen
    assert intent is not None
    assert intent.resource_id == ""
    answered = ledger.get(URN)
    assert answered is not None
    assert answered.resource_id == ARN


def test_a_name_that_is_taken_says_what_to_do(ledger: Ledger) -> None:
    script = Script({"CreateRole": [refused("EntityAlreadyExists", "Role x exists.")]})
    inputs = {"name": "x", "assumeRolePolicy": "{}"}
    with pytest.raises(ProviderError, match="choose another name, delete it, or bring it under") as caught:
        lifecycle.create(operation("aws:iam/role:Role", script, inputs), ledger, URN)
    assert "EntityAlreadyExists" in str(caught.value)


def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(ledger: Ledger) -> None:
    not_yet = refused("InvalidParameterValueException", "The role cannot be assumed by Lambda.")
    function = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:us-east-1:1:function:f",
        "State": "Active",
    }
    script = Script(
        {
            "CreateFunction": [not_yet, not_yet, {}],
            "GetFunctionConfiguration": [{"State": "Pending"}, {"State": "Active"}],
            "GetFunction": [{"Configuration": function, "Tags": {}}],
            "ListVersionsByFunction": [{"Versions": [{"Version": "$LATEST"}]}],
        }
    )
    inputs = {"name": "f", "role": "r", "s3Bucket": "b", "s3Key": "k"}
    state = lifecycle.create(operation("aws:lambda/function:Function", script, inputs), ledger, URN)
    assert script.operations.count("CreateFunction") == 3
    assert state["version"] == "$LATEST"


def test_another_refusal_is_not_repeated(ledger: Ledger) -> None:
    script = Script({"CreateTopic": [refused("InvalidParameter")]})
    with pytest.raises(RefusedError, match="InvalidParameter"):
        lifecycle.create(topic(script), ledger, URN)
    assert script.operations == ["CreateTopic"]


def test_what_fails_after_the_create_keeps_the_id(ledger: Ledger) -> None:
    script = Script(
        {"CreateLogGroup": [{}], "PutRetentionPolicy": [refused("LimitExceeded")], "DescribeLogGroups": [{}]}
    )
    inputs = {"name": "logs", "retentionInDays": 7}
    with pytest.raises(HalfDoneError, match="LimitExceeded") as caught:
        lifecycle.create(operation("aws:cloudwatch/logGroup:LogGroup", script, inputs), ledger, URN)
    assert caught.value.resource_id == "logs"
    assert caught.value.inputs == inputs
    record = ledger.get(URN)
    assert record is not None
    assert record.resource_id == "logs"


# -- adoption ----------------------------------------------------------------------------------------


def test_a_create_whose_answer_was_kept_is_not_repeated(ledger: Ledger) -> None:
    lifecycle.create(topic(Script(dict(TOPIC))), ledger, URN)
    again = Script(dict(TOPIC))
    repeated = topic(again)
    state = lifecycle.create(repeated, ledger, URN)
    assert "CreateTopic" not in again.operations
    assert (repeated.resource_id, state["arn"]) == (ARN, ARN)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda ledger: ledger.engine_knows_id(URN, ARN), id="the engine has it: a replacement"),
        pytest.param(lambda ledger: ledger.forget(URN, ARN), id="it was deleted"),
    ],
)
def test_a_create_that_is_no_repetition_is_made(ledger: Ledger, change: Callable[[Ledger], None]) -> None:
    lifecycle.create(topic(Script(dict(TOPIC))), ledger, URN)
    change(ledger)
    again = Script(dict(TOPIC))
    lifecycle.create(topic(again), ledger, URN)
    assert again.operations.count("CreateTopic") == 1


def test_a_recorded_resource_that_is_gone_is_made_anew(ledger: Ledger) -> None:
    lifecycle.create(topic(Script(dict(TOPIC))), ledger, URN)
    gone: list[Answer] = [refused("NotFound"), *TOPIC["GetTopicAttributes"]]
    again = Script({**TOPIC, "GetTopicAttributes": gone})
    lifecycle.create(topic(again), ledger, URN)
    assert again.operations.count("CreateTopic") == 1


def test_an_interrupted_create_becomes_what_the_program_asks_for_by_now(ledger: Ledger) -> None:
    lifecycle.create(topic(Script(dict(TOPIC))), ledger, URN)
    again = Script(dict(TOPIC))
    repeated = topic(again, {"name": "x", "displayName": "new"})
    lifecycle.create(repeated, ledger, URN)
    assert repeated.resource_id == ARN
    assert "CreateTopic" not in again.operations
    assert [asked["AttributeValue"] for asked in again.members("SetTopicAttributes")] == ["new"]


def test_what_cannot_become_that_goes_before_the_next_is_made(ledger: Ledger) -> None:
    lifecycle.create(topic(Script(dict(TOPIC))), ledger, URN)
    again = Script(dict(TOPIC))
    lifecycle.create(topic(again, {"name": "y"}), ledger, URN)
    changes = [call for call in again.asked if not call[0].startswith(("Get", "List"))]
    assert changes == [("DeleteTopic", {"TopicArn": ARN}), ("CreateTopic", {"Name": "y"})]


@pytest.mark.parametrize(
    ("retried", "adopted"),
    [
        pytest.param(False, False, id="it was somebody else's"),
        pytest.param(True, True, id="an attempt before had made it, and its answer was lost"),
    ],
)
def test_what_is_there_when_a_create_is_refused(ledger: Ledger, *, retried: bool, adopted: bool) -> None:
    taken = RefusedError("iam:CreateRole", "EntityAlreadyExists", "Role x exists.", retried=retried)
    inputs = {"name": "x", "assumeRolePolicy": "{}"}
    role = {"RoleName": "x", "Arn": "arn:x", "AssumeRolePolicyDocument": "{}"}
    there: dict[str, list[Answer]] = {"CreateRole": [taken], "GetRole": [{"Role": role}]}
    outcomes = []
    for _ in range(2):
        try:
            lifecycle.create(operation("aws:iam/role:Role", Script(dict(there)), inputs), ledger, URN)
            outcomes.append("adopted")
        except ProviderError as error:
            assert "Something of this name is there already" in str(error)
            outcomes.append("refused")
    assert outcomes == ["refused", "adopted" if adopted else "refused"]


VPC = "aws:ec2/vpc:Vpc"
VPC_URN = "urn:pulumi:dev::proj::aws:ec2/vpc:Vpc::x"


def vpc(vpc_id: str, cidr: str = "10.0.0.0/16", **tags: str) -> Bag:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"VpcId": vpc_id, "CidrBlock": cidr, "InstanceTenancy": "default", "Tags": pairs}


def interrupted(ledger: Ledger, there: list[Bag], inputs: Bag) -> None:
    """A create that is cut off between the call and its answer."""
    script = Script({"DescribeVpcs": [{"Vpcs": there}], "CreateVpc": [_cut_off]})
    with pytest.raises(KeyboardInterrupt):
        lifecycle.create(operation(VPC, script, inputs), ledger, VPC_URN)


def _cut_off(_: Bag) -> Bag:
    raise KeyboardInterrupt


def by_id(vpcs: list[Bag]) -> Callable[[Bag], Bag]:
    def answer(members: Bag) -> Bag:
        wanted = members.get("VpcIds")
        return {"Vpcs": [item for item in vpcs if not wanted or item["VpcId"] in wanted]}

    return answer


@pytest.mark.parametrize(
    ("now", "adopted"),
    [
        pytest.param([vpc("vpc-new")], "vpc-new", id="one like it is new"),
        pytest.param([], "vpc-made", id="the call never arrived"),
        pytest.param([vpc("vpc-new", "10.9.0.0/16")], "vpc-made", id="another is new"),
        pytest.param([vpc("vpc-new", team="search")], "vpc-made", id="one with other tags is new"),
        pytest.param([vpc("vpc-other")], "vpc-made", id="one like it belongs to another resource"),
    ],
)
def test_a_lost_answer_is_looked_for_among_what_is_new(ledger: Ledger, now: list[Bag], adopted: str) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16"}
    old = vpc("vpc-old")
    interrupted(ledger, [old], inputs)
    ledger.answered(ledger.begin(VPC_URN.replace("::x", "::y"), VPC, "d"), "vpc-other")
    there = [old, *now]
    script = Script(
        {
            "DescribeVpcs": [by_id(there)],
            "CreateVpc": [lambda _: there.append(vpc("vpc-made")) or {"Vpc": {"VpcId": "vpc-made"}}],
        }
    )
    again = operation(VPC, script, inputs)
    lifecycle.create(again, ledger, VPC_URN)
    assert again.resource_id == adopted
    assert ("CreateVpc" in script.operations) is (adopted == "vpc-made")


def test_an_adopted_resource_gets_what_the_interrupted_create_had_not_done(ledger: Ledger) -> None:
    token, inputs = "aws:cloudwatch/logGroup:LogGroup", {"name": "logs", "retentionInDays": 7}
    script = Script({"CreateLogGroup": [{}]})
    script.answers["PutRetentionPolicy"] = [_cut_off]
    with pytest.raises(KeyboardInterrupt):
        lifecycle.create(operation(token, script, inputs), ledger, URN)
    group = {"logGroupName": "logs", "arn": "arn:logs:*"}
    again = Script(
        {"DescribeLogGroups": [{"logGroups": [group]}, {"logGroups": [{**group, "retentionInDays": 7}]}]}
    )
    state = lifecycle.create(operation(token, again, inputs), ledger, URN)
    assert "CreateLogGroup" not in again.operations
    assert again.members("PutRetentionPolicy") == [{"logGroupName": "logs", "retentionInDays": 7}]
    assert state["retentionInDays"] == 7


# -- update ------------------------------------------------------------------------------------------


def test_only_what_changed_is_called_for() -> None:
    script = Script({"DescribeVpcs": [{"Vpcs": [vpc("vpc-1", Name="b")]}]})
    old = {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "a", "team": "x"}, "enableDnsSupport": True}
    new = {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "b"}, "enableDnsSupport": True}
    lifecycle.update(operation(VPC, script, new, state=dict(old), resource_id="vpc-1"), old, old)
    changes = [call for call in script.asked if not call[0].startswith(("Describe", "Get"))]
    assert changes == [
        ("DeleteTags", {"Resources": ["vpc-1"], "Tags": [{"Key": "team"}]}),
        ("CreateTags", {"Resources": ["vpc-1"], "Tags": [{"Key": "Name", "Value": "b"}]}),
    ]


def test_a_setting_that_was_dropped_is_taken_back_by_the_call_for_that() -> None:
    token = "aws:cloudwatch/logGroup:LogGroup"
    script = Script({"DescribeLogGroups": [{"logGroups": [{"logGroupName": "logs", "arn": "arn"}]}]})
    old = {"name": "logs", "retentionInDays": 7}
    new = {"name": "logs", "retentionInDays": 0}
    lifecycle.update(operation(token, script, new, state=dict(old), resource_id="logs"), old, old)
    assert "DeleteRetentionPolicy" in script.operations
    assert "PutRetentionPolicy" not in script.operations


# -- delete, waiting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["NotFound", "NotFoundException"])
def test_what_is_gone_already_is_deleted(code: str) -> None:
    script = Script({"DeleteTopic": [refused(code)]})
    lifecycle.delete(topic(script, resource_id=ARN))


def test_a_delete_that_is_refused_says_so() -> None:
    script = Script({"DeleteTopic": [refused("AuthorizationError")]})
    with pytest.raises(RefusedError, match="AuthorizationError"):
        lifecycle.delete(topic(script, resource_id=ARN))


def test_skip_destroy_leaves_it() -> None:
    script = Script()
    token = "aws:cloudwatch/logGroup:LogGroup"
    lifecycle.delete(operation(token, script, {"name": "l", "skipDestroy": True}, resource_id="l"))
    assert script.operations == []


def test_deleting_waits_until_it_is_gone() -> None:
    there = {"Table": {"TableName": "t", "TableStatus": "DELETING", "KeySchema": []}}
    script = Script({"DescribeTable": [there, there, refused("ResourceNotFoundException")]})
    script.answers |= {
        "DescribeTimeToLive": [{"TimeToLiveDescription": {}}],
        "DescribeContinuousBackups": [{"ContinuousBackupsDescription": {}}],
        "ListTagsOfResource": [{"Tags": []}],
    }
    lifecycle.delete(operation("aws:dynamodb/table:Table", script, {"name": "t"}, resource_id="t"))
    assert script.operations.count("DescribeTable") == 3


WAIT = Wait(
    op="GetTopicAttributes",
    args={"TopicArn": "{id}"},
    path="State",
    until=("UP",),
    fail=("BROKEN",),
    why="Reason",
    seconds=60,
)


def test_a_state_that_will_not_come_ends_the_wait_with_its_reason() -> None:
    script = Script({"GetTopicAttributes": [{"State": "SOON"}, {"State": "BROKEN", "Reason": "no power"}]})
    with pytest.raises(ProviderError, match="it went to BROKEN: no power"):
        topic(script, resource_id=ARN).wait(WAIT)


def test_the_programs_own_limit_counts() -> None:
    script = Script({"GetTopicAttributes": [{"State": "SOON"}]})
    with pytest.raises(DeadlineError, match=r"still SOON after 0 s, and should be UP"):
        topic(script, resource_id=ARN, seconds=0.01).wait(WAIT)


def test_cancel_ends_a_wait_at_once() -> None:
    cancel = threading.Event()

    def answer(_: Bag) -> Bag:
        cancel.set()
        return {"State": "SOON"}

    script = Script({"GetTopicAttributes": [answer]})
    with pytest.raises(CancelledError):
        topic(script, resource_id=ARN, cancel=cancel).wait(WAIT)
    assert len(script.asked) == 1


# -- reading -----------------------------------------------------------------------------------------


def test_reading_what_is_not_there() -> None:
    script = Script({"GetTopicAttributes": [refused("NotFound")]})
    with pytest.raises(MissingError):
        reading.read(topic(script, resource_id=ARN))


def test_tags_that_are_not_the_programs_business_are_not_seen() -> None:
    tags = [{"Key": key, "Value": "1"} for key in ("team", "aws:cloudformation:stack", "auto:x", "ignored")]
    script = Script({**TOPIC, "ListTagsForResource": [{"Tags": tags}]})
    script.config = Config("us-east-1", ignored_tags=frozenset({"ignored"}), ignored_tag_prefixes=("auto:",))
    assert reading.read(topic(script, resource_id=ARN))["tags"] == {"team": "1"}


def test_what_somebody_else_changed_shows_in_the_inputs() -> None:
    plan = Plan(find("aws:sns/topic:Topic"))
    said = {"name": "x", "tags": {"a": "1"}}
    state = {"name": "x", "displayName": "by hand", "tags": {"a": "2", "b": "3"}, "policy": "{}"}
    found = reading.inputs_after_refresh(plan, said, state)
    assert found == {"name": "x", "displayName": "by hand", "tags": {"a": "2", "b": "3"}}


def test_what_means_the_same_stays_as_it_was_written() -> None:
    plan = Plan(find("aws:sns/topic:Topic"))
    said = {"name": "x", "policy": '{"Version": "2012-10-17", "Statement": []}'}
    state = {"name": "x", "policy": '{"Statement":[],"Version":"2012-10-17"}'}
    assert reading.inputs_after_refresh(plan, said, state) == said
