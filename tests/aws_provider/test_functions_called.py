"""Functions that programs call."""

import json
from typing import Any

import pytest

from sandbox.aws.provider.config import Config
from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.invokes import invoke
from sandbox.aws.provider.services import Services

DOCUMENT = "aws:iam/getPolicyDocument:getPolicyDocument"
NOWHERE = Services(Config("us-east-1", endpoint="http://127.0.0.1:9"))


def document(**arguments: Any) -> Any:
    result, failures = invoke(DOCUMENT, arguments, NOWHERE)
    assert not failures
    assert json.loads(result["json"]) == json.loads(result["minifiedJson"])
    return json.loads(result["json"])


def test_a_policy_document_says_what_its_blocks_say() -> None:
    found = document(
        statements=[
            {
                "sid": "read",
                "actions": ["s3:GetObject", "s3:ListBucket"],
                "resources": ["*"],
                "principals": [
                    {"type": "Service", "identifiers": ["lambda.amazonaws.com"]},
                    {"type": "AWS", "identifiers": ["b", "a"]},
                ],
                "conditions": [
                    {"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]},
                    {"test": "StringEquals", "variable": "aws:PrincipalTag/x", "values": ["1", "2"]},
                ],
            },
            {"effect": "Deny", "notActions": ["s3:*"], "notResources": ["*"]},
        ]
    )
    assert found == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "read",
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetObject"],
                "Resource": "*",
                "Principal": {"Service": "lambda.amazonaws.com", "AWS": ["b", "a"]},
                "Condition": {"StringEquals": {"aws:SourceAccount": "1", "aws:PrincipalTag/x": ["1", "2"]}},
            },
            {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "*"},
        ],
    }


def test_everybody_is_a_star() -> None:
    everybody = [{"type": "*", "identifiers": ["*"]}]
    found = document(statements=[{"actions": ["a"], "principals": everybody}])
    assert found["Statement"][0]["Principal"] == "*"


def test_documents_are_merged_by_their_statements_ids() -> None:
    source = json.dumps({"Statement": [{"Sid": "a", "Effect": "Allow"}, {"Sid": "b", "Effect": "Allow"}]})
    override = json.dumps({"Statement": {"Sid": "b", "Effect": "Deny"}})
    found = document(
        sourcePolicyDocuments=[source],
        overridePolicyDocuments=[override],
        statements=[{"sid": "c", "actions": ["x"]}],
    )
    assert [(item["Sid"], item["Effect"]) for item in found["Statement"]] == [
        ("a", "Allow"),
        ("b", "Deny"),
        ("c", "Allow"),
    ]


def test_the_same_document_has_the_same_id() -> None:
    first, _ = invoke(DOCUMENT, {"statements": [{"actions": ["a"]}]}, NOWHERE)
    again, _ = invoke(DOCUMENT, {"statements": [{"actions": ["a"]}]}, NOWHERE)
    assert first["id"] == again["id"]


def test_two_statements_of_one_id_are_a_mistake() -> None:
    twice = [{"sid": "a", "actions": ["x"]}, {"sid": "a", "actions": ["y"]}]
    with pytest.raises(ProviderError, match="two statements of the policy document have the id a"):
        document(statements=twice)


def test_where_one_is_needs_no_service() -> None:
    region, _ = invoke("aws:index/getRegion:getRegion", {}, NOWHERE)
    partition, _ = invoke("aws:index/getPartition:getPartition", {}, NOWHERE)
    assert (region["name"], partition["partition"]) == ("us-east-1", "aws")


def test_an_unknown_function_says_what_is_known() -> None:
    with pytest.raises(
        ProviderError, match=r"does not know the function aws:ec2/getAmi:getAmi; it knows .*getRegion"
    ):
        invoke("aws:ec2/getAmi:getAmi", {}, NOWHERE)


def test_an_unknown_argument_is_named() -> None:
    _, failures = invoke("aws:index/getRegion:getRegion", {"nmae": "x"}, NOWHERE)
    assert [failure.path for failure in failures] == ["nmae"]


@pytest.mark.engine
def test_who_and_which_zones(emulator: str) -> None:
    access = Services(Config("us-east-1", endpoint=emulator))
    identity, _ = invoke("aws:index/getCallerIdentity:getCallerIdentity", {}, access)
    assert identity["accountId"] == "000000000000"
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    zones, _ = invoke(token, {"state": "available", "excludeNames": ["us-east-1b"]}, access)
    assert zones["names"][:2] == ["us-east-1a", "us-east-1c"]
    assert len(zones["zoneIds"]) == len(zones["names"])
