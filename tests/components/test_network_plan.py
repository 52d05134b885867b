"""Blocks of addresses: none overlaps, and a new zone moves no old one."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest

from components.data_plane.network import plan

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f")


@pytest.mark.parametrize("cidr", ["10.20.0.0/16", "10.0.0.0/20", "192.168.7.0/24", "10.0.0.0/26"])
@pytest.mark.parametrize("count", [1, 2])
def test_blocks_lie_apart_within_the_network(cidr: str, count: int):
    network = IPv4Network(cidr)
    blocks = [
        block for zone in plan(network, ZONES[:count]).values() for block in (zone.private, zone.public)
    ]
    assert all(block.subnet_of(network) and block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(ZONES[:3], id="one more"),
        pytest.param(ZONES, id="all"),
        pytest.param(ZONES[1::-1], id="in another order"),
    ],
)
def test_a_zone_keeps_its_blocks(after: tuple[str, ...]):
    network = IPv4Network("10.20.0.0/16")
    before = plan(network, ZONES[:2])
    assert {zone: plan(network, after)[zone] for zone in before} == before
