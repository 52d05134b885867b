"""Addresses of the pod network: given out, remembered, taken back."""

from pathlib import Path

import pytest

from sandbox.node.addresses import AddressBook, NoAddressLeftError, Purpose, to_loopback


def book(path: Path) -> AddressBook:
    return AddressBook(7, path / "addresses.json")


@pytest.mark.parametrize(
    ("cluster", "loopback"),
    [
        pytest.param("10.7.2.1", "127.7.2.1", id="a pod"),
        pytest.param("10.7.0.1", "127.7.0.1", id="a node"),
    ],
)
def test_an_address_has_the_same_number_on_this_machine(cluster: str, loopback: str):
    assert to_loopback(cluster) == loopback


def test_an_address_of_another_network_is_left_alone():
    assert to_loopback("172.20.0.1") == "172.20.0.1"


@pytest.mark.parametrize(
    ("purpose", "first"),
    [
        pytest.param(Purpose.NODE, "10.7.0.2", id="nodes leave .1 to the node ports"),
        pytest.param(Purpose.LOAD_BALANCER, "10.7.1.1", id="load balancers"),
        pytest.param(Purpose.POD, "10.7.2.1", id="pods"),
    ],
)
def test_each_purpose_has_its_own_range(tmp_path: Path, purpose: Purpose, first: str):
    assert book(tmp_path).give(purpose, "a") == first


def test_pods_stay_below_the_half_of_the_pretended_ones():
    assert max(int(suffix.split(".")[0]) for suffix in Purpose.POD.suffixes()) == 127


def test_a_holder_keeps_its_address_across_restarts(tmp_path: Path):
    first = book(tmp_path).give(Purpose.POD, "a")
    again = book(tmp_path)
    assert again.give(Purpose.POD, "a") == first
    assert again.give(Purpose.POD, "b") != first


def test_a_freed_address_is_given_out_last(tmp_path: Path):
    addresses = book(tmp_path)
    freed = addresses.give(Purpose.POD, "a")
    addresses.free(Purpose.POD, "a")
    assert addresses.give(Purpose.POD, "b") != freed
    assert book(tmp_path).give(Purpose.POD, "c") != freed


def test_every_address_can_be_given_out_once(tmp_path: Path):
    addresses = book(tmp_path)
    given = {addresses.give(Purpose.LOAD_BALANCER, f"svc-{number}") for number in range(254)}
    assert len(given) == 254
    with pytest.raises(NoAddressLeftError, match="load balancer"):
        addresses.give(Purpose.LOAD_BALANCER, "one-too-many")
    addresses.keep_only(Purpose.LOAD_BALANCER, ["svc-3"])
    assert addresses.give(Purpose.LOAD_BALANCER, "one-too-many") in given


def test_an_unreadable_file_is_as_good_as_none(tmp_path: Path):
    (tmp_path / "addresses.json").write_text("{half")
    assert book(tmp_path).give(Purpose.POD, "a") == "10.7.2.1"
