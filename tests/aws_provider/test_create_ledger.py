"""What the ledger remembers, and for how long."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.provider.ledger import Ledger, Record, digest
from sandbox.aws.provider.values import UNKNOWN, Archive, Asset

URN = "urn:pulumi:dev::proj::aws:ec2/vpc:Vpc::x"
TOKEN = "aws:ec2/vpc:Vpc"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger", "here")


def test_an_intent_outlives_the_process(ledger: Ledger) -> None:
    ledger.begin(URN, TOKEN, "d", ["vpc-0"])
    again = Ledger(ledger.folder, "here").get(URN)
    assert again == Record(URN, TOKEN, "d", "here", before=("vpc-0",))


def test_a_made_up_name_is_used_again_until_the_engine_has_the_resource(ledger: Ledger) -> None:
    record = ledger.begin(URN, TOKEN, "d", name="x-1a2b3c4")
    assert ledger.name_of_interrupted(URN) == "x-1a2b3c4"
    ledger.answered(record, "vpc-1")
    assert ledger.name_of_interrupted(URN) == "x-1a2b3c4"
    ledger.engine_knows_id(URN, "vpc-1")
    assert ledger.name_of_interrupted(URN) == ""


def test_the_answer_joins_the_intent(ledger: Ledger) -> None:
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-1")
    found = ledger.get(URN)
    assert found is not None
    assert (found.resource_id, found.known) == ("vpc-1", False)


def test_old_inputs_show_that_the_engine_knows(ledger: Ledger) -> None:
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-1")
    ledger.engine_knows(URN, "other inputs")
    assert not known(ledger)
    ledger.engine_knows(URN, "d")
    assert known(ledger)


def test_an_id_shows_that_the_engine_knows(ledger: Ledger) -> None:
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-1")
    ledger.engine_knows_id(URN, "vpc-2")
    assert not known(ledger)
    ledger.engine_knows_id(URN, "vpc-1")
    assert known(ledger)


def known(ledger: Ledger) -> bool:
    found = ledger.get(URN)
    return found is not None and found.known


def test_deleting_forgets_but_not_the_successor(ledger: Ledger) -> None:
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-2")
    ledger.forget(URN, "vpc-1")
    assert ledger.get(URN)
    ledger.forget(URN, "vpc-2")
    assert ledger.get(URN) is None


def test_ids_of_others_are_taken(ledger: Ledger) -> None:
    other = URN.replace("::x", "::y")
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-1")
    ledger.answered(ledger.begin(other, TOKEN, "d"), "vpc-2")
    ledger.answered(ledger.begin(URN.replace("vpc:Vpc", "eip:Eip"), "aws:ec2/eip:Eip", "d"), "eip-1")
    assert ledger.taken(TOKEN, URN) == {"vpc-2"}


def test_two_backends_do_not_see_each_others_records(ledger: Ledger) -> None:
    ledger.begin(URN, TOKEN, "d")
    assert Ledger(ledger.folder, "there").get(URN) is None


@pytest.mark.parametrize("content", ["", "{", '{"urn": 1}', "[]"], ids=repr)
def test_a_broken_record_is_no_record(ledger: Ledger, content: str) -> None:
    ledger.begin(URN, TOKEN, "d")
    (path,) = ledger.folder.glob("*.json")
    path.write_text(content)
    assert ledger.get(URN) is None
    assert ledger.taken(TOKEN, "other") == frozenset()


def test_nothing_but_records_is_left_behind(ledger: Ledger) -> None:
    ledger.answered(ledger.begin(URN, TOKEN, "d"), "vpc-1")
    assert [path.suffix for path in ledger.folder.iterdir()] == [".json"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, id="order of properties"),
        pytest.param({"a": 1, "__defaults": ["a"]}, {"a": 1}, True, id="what was filled in"),
        pytest.param({"a": 1}, {"a": 2}, False, id="a value"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, False, id="order in a list"),
        pytest.param(
            {"c": Archive("path", "x", "1")}, {"c": Archive("assets", {}, "1")}, True, id="the same content"
        ),
        pytest.param({"c": Asset("path", "x", "1")}, {"c": Asset("path", "x", "2")}, False, id="content"),
        pytest.param({"a": UNKNOWN}, {"a": UNKNOWN}, True, id="unknown"),
    ],
)
def test_inputs_are_told_apart_by_what_they_ask_for(one: Any, other: Any, *, same: bool) -> None:
    assert (digest(one) == digest(other)) is same


def test_secrets_cannot_be_read_from_the_ledger(ledger: Ledger) -> None:
    ledger.begin(URN, TOKEN, digest({"password": "swordfish"}))
    (path,) = ledger.folder.glob("*.json")
    assert "swordfish" not in path.read_text()
