"""What is read of nodes on AWS: node groups, scaling groups, templates, capacity providers."""

from dataclasses import dataclass
from typing import Any

import pytest

from components.placement import NONE, Facts, Home, Role, Tenancy
from policies.reading.bags import UNKNOWN
from policies.reading.node_relations import PLACEMENT_GROUP, SUBNET, nodes
from policies.reading.nodes import CAPACITY_PROVIDER, LAUNCH_TEMPLATE, NODE_GROUP, SCALING_GROUP
from policies.reading.subjects import read
from policies.resources import Resource

A, B = "us-east-1a", "us-east-1b"


@dataclass(frozen=True)
class Case:
    says: str
    resource_type: str
    props: dict[str, Any]
    facts: dict[str, Any]


CARRIED = Facts(home=Home.METAL, pool="gpu", tenancy=Tenancy.DEDICATED)
CASES = [
    Case(
        "nodes with GPUs",
        NODE_GROUP,
        {"instanceTypes": ["g6.12xlarge"]},
        {"accelerator_type": "L4", "accelerator_count": 4, "tenancy": None, "home": Home.POOL},
    ),
    Case(
        "nodes without", NODE_GROUP, {"instanceTypes": ["m7i.large", "m7g.large"]}, {"accelerator_count": 0}
    ),
    Case(
        "nodes some of which have GPUs",
        NODE_GROUP,
        {"instanceTypes": ["m7i.large", "g6.xlarge"]},
        {"accelerator_count": None},
    ),
    Case(
        "nodes of a type that nobody knows",
        NODE_GROUP,
        {"instanceTypes": ["x9.huge"]},
        {"accelerator_count": None},
    ),
    Case(
        "nodes of a type that is not known yet",
        NODE_GROUP,
        {"instanceTypes": [UNKNOWN]},
        {"accelerator_count": UNKNOWN},
    ),
    Case(
        "types that are not known yet", NODE_GROUP, {"instanceTypes": UNKNOWN}, {"accelerator_count": UNKNOWN}
    ),
    Case(
        "machines with no hypervisor",
        NODE_GROUP,
        {"instanceTypes": ["m7i.metal-24xl"]},
        {"tenancy": Tenancy.BARE_METAL, "home": Home.METAL, "accelerator_count": 0},
    ),
    Case(
        "a machine with no hypervisor that the catalog does not know",
        NODE_GROUP,
        {"instanceTypes": ["x9.metal"]},
        {"tenancy": Tenancy.BARE_METAL, "accelerator_count": None},
    ),
    Case(
        "a template of bare metal, which is not shared for want of a tenancy",
        LAUNCH_TEMPLATE,
        {"instanceType": "m7i.metal-24xl"},
        {"tenancy": Tenancy.BARE_METAL, "home": Home.METAL},
    ),
    Case(
        "a template of shared machines",
        LAUNCH_TEMPLATE,
        {"instanceType": "m7i.large"},
        {"tenancy": Tenancy.SHARED},
    ),
    Case(
        "machines of a capacity block that the template does not name",
        LAUNCH_TEMPLATE,
        {"instanceMarketOptions": {"marketType": "capacity-block"}},
        {"capacity_block_zone": None, "tenancy": None},
    ),
    Case("machines of no block", LAUNCH_TEMPLATE, {}, {"capacity_block_zone": NONE}),
    Case(
        "a scaling group with tags in a list",
        SCALING_GROUP,
        {"tags": [{"key": key, "value": value} for key, value in CARRIED.to_tags().items()]},
        {"home": Home.METAL, "pool": "gpu", "role": Role.NODES},
    ),
    Case(
        "a scaling group of mixed machines",
        SCALING_GROUP,
        {
            "mixedInstancesPolicy": {
                "launchTemplate": {
                    "overrides": [{"instanceType": "g5.xlarge"}, {"instanceType": "g5.2xlarge"}]
                }
            }
        },
        {"accelerator_type": "A10G", "accelerator_count": 1},
    ),
    Case(
        "a scaling group that names its zones",
        SCALING_GROUP,
        {"availabilityZones": [B, A]},
        {"zones": (A, B)},
    ),
    Case(
        "one of whose zones is not known",
        SCALING_GROUP,
        {"availabilityZones": [B, UNKNOWN]},
        {"zones": UNKNOWN},
    ),
    Case(
        "a capacity provider of Lambda",
        CAPACITY_PROVIDER,
        {"instanceRequirements": [{"allowedInstanceTypes": ["g6.xlarge"]}], "kmsKeyArn": "arn:key"},
        {"accelerator_count": 1, "own_keys": True, "managed_cluster": True, "efa": False},
    ),
    Case(
        "a capacity provider with a key of AWS's",
        CAPACITY_PROVIDER,
        {},
        {"own_keys": False, "placement_group": NONE},
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_is_read(case: Case):
    subject = read(case.resource_type, case.props)
    assert subject is not None
    found = {name: UNKNOWN if name in subject.unread else getattr(subject.facts, name) for name in case.facts}
    assert found == case.facts


def _made(resource_type: str, name: str = "it", /, **props: Any) -> Resource:
    return Resource(resource_type, name, f"urn:pulumi:dev::shop::{resource_type}::{name}", props)


SUBNETS = [_made(SUBNET, zone, id=f"s-{zone}", availabilityZone=zone) for zone in (A, B)]
SPECIFIED = {"launchTemplateSpecification": {"launchTemplateId": "lt-1"}}
RELATED = [
    Case(
        "a scaling group in two zones",
        SCALING_GROUP,
        {"vpcZoneIdentifiers": [f"s-{A}", f"s-{B}"]},
        {"zones": (A, B), "efa": False},
    ),
    Case(
        "a scaling group with a template of its own",
        SCALING_GROUP,
        {"launchTemplate": {"id": "lt-1"}},
        {"efa": True, "accelerator_count": 8},
    ),
    Case(
        "a scaling group with a template among its policy",
        SCALING_GROUP,
        {"mixedInstancesPolicy": {"launchTemplate": SPECIFIED}},
        {"efa": True, "accelerator_count": 8},
    ),
    Case(
        "types of a policy, which go over that of its template",
        SCALING_GROUP,
        {
            "mixedInstancesPolicy": {
                "launchTemplate": {**SPECIFIED, "overrides": [{"instanceType": "g6.xlarge"}]}
            }
        },
        {"accelerator_type": "L4", "accelerator_count": 1},
    ),
    Case(
        "a scaling group of a placement group",
        SCALING_GROUP,
        {"placementGroup": "together"},
        {"placement_group": "cluster"},
    ),
    Case(
        "a capacity provider",
        CAPACITY_PROVIDER,
        {"vpcConfig": {"subnetIds": [f"s-{A}"]}},
        {"zones": (A,), "own_keys": False},
    ),
    Case(
        "nodes whose template says what they are",
        NODE_GROUP,
        {"launchTemplate": {"id": "lt-1"}},
        {"accelerator_type": "H100", "accelerator_count": 8},
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in RELATED])
def test_what_nodes_are_with_the_rest(case: Case):
    others = [
        *SUBNETS,
        _made(
            LAUNCH_TEMPLATE,
            id="lt-1",
            instanceType="p5.48xlarge",
            networkInterfaces=[{"interfaceType": "efa"}],
        ),
        _made(PLACEMENT_GROUP, name="together", strategy="cluster"),
    ]
    (related,) = nodes([_made(case.resource_type, **case.props), *others])
    assert {name: getattr(related.subject.facts, name) for name in case.facts} == case.facts
