"""Terraform states and plans: which resources are taken, under which names, and what stays unknown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from policies.audit.sources import Gathered, Kind, gather
from policies.reading.bags import UNKNOWN

FUNCTION = "aws:lambda/function:Function"


def read(folder: Path, value: Mapping[str, Any], name: str = "terraform.tfstate") -> Gathered:
    (folder / name).write_text(json.dumps(value, indent=2), encoding="utf-8")
    return gather([str(folder / name)])


def state(*resources: Any, version: int = 4) -> dict[str, Any]:
    return {"version": version, "terraform_version": "1.9.0", "lineage": "x", "resources": resources}


def instances(terraform_type: str, name: str, *each: Any, **rest: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": terraform_type, "name": name, "instances": each, **rest}


def names(found: Gathered) -> list[str]:
    return [each.name for each in found.resources]


@dataclass(frozen=True)
class Translated:
    terraform_type: str
    attributes: dict[str, Any]
    type: str
    props: dict[str, Any]


TRANSLATED = [
    Translated(
        "aws_lambda_function",
        {
            "function_name": "embed",
            "memory_size": 512,
            "description": "",
            "image_uri": None,
            "layers": [],
            "capacity_provider_config": [],
            "vpc_config": [{"subnet_ids": ["a"], "security_group_ids": []}],
            "environment": [{"variables": {"MODEL_NAME": "", "a_b": "c"}}],
            "tags": {"halfmetal.dev/home": "function", "cost_center": ""},
            "reserved_concurrent_executions": -1,
        },
        FUNCTION,
        {
            "name": "embed",
            "memorySize": 512,
            "vpcConfig": {"subnetIds": ["a"]},
            "environment": {"variables": {"MODEL_NAME": "", "a_b": "c"}},
            "tags": {"halfmetal.dev/home": "function", "cost_center": ""},
            "reservedConcurrentExecutions": -1,
        },
    ),
    Translated(
        "aws_cloudwatch_metric_alarm",
        {
            "alarm_name": "errors",
            "dimensions": {"FunctionName": "embed"},
            "metric_query": [{"id": "m", "metric": [{"dimensions": {"FunctionName": "embed"}}]}],
        },
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "errors",
            "dimensions": {"FunctionName": "embed"},
            "metricQueries": [{"id": "m", "metric": {"dimensions": {"FunctionName": "embed"}}}],
        },
    ),
    Translated(
        "aws_launch_template",
        {
            "network_interfaces": [{"interface_type": "efa"}],
            "block_device_mappings": [{"ebs": [{"kms_key_id": "", "encrypted": "true"}]}],
            "placement": [{"tenancy": "", "group_name": "together"}],
            "capacity_reservation_specification": [
                {"capacity_reservation_target": [{"capacity_reservation_id": "cr-1"}]}
            ],
            "instance_market_options": [],
        },
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "networkInterfaces": [{"interfaceType": "efa"}],
            "blockDeviceMappings": [{"ebs": {"encrypted": "true"}}],
            "placement": {"groupName": "together"},
            "capacityReservationSpecification": {
                "capacityReservationTarget": {"capacityReservationId": "cr-1"}
            },
        },
    ),
    Translated(
        "aws_eks_node_group",
        {
            "node_group_name": "gpu",
            "taint": [{"key": "nvidia.com/gpu", "value": ""}],
            "subnet_ids": ["a", "b"],
        },
        "aws:eks/nodeGroup:NodeGroup",
        {"nodeGroupName": "gpu", "taints": [{"key": "nvidia.com/gpu"}], "subnetIds": ["a", "b"]},
    ),
    Translated(
        "aws_autoscaling_group",
        {"name": "a", "vpc_zone_identifier": ["s"], "tag": [{"key": "a", "value": "b"}]},
        "aws:autoscaling/group:Group",
        {"name": "a", "vpcZoneIdentifiers": ["s"], "tags": [{"key": "a", "value": "b"}]},
    ),
    Translated(
        "google_cloud_run_v2_service",
        {
            "name": "chat",
            "template": [
                {
                    "containers": [
                        {
                            "env": [{"name": "A", "value": "b"}],
                            "resources": [{"limits": {"nvidia.com/gpu": "1"}, "cpu_idle": False}],
                        }
                    ],
                    "scaling": [{"max_instance_count": 3}],
                    "node_selector": [{"accelerator": "nvidia-l4"}],
                }
            ],
        },
        "gcp:cloudrunv2/service:Service",
        {
            "name": "chat",
            "template": {
                "containers": [
                    {
                        "envs": [{"name": "A", "value": "b"}],
                        "resources": {"limits": {"nvidia.com/gpu": "1"}, "cpuIdle": False},
                    }
                ],
                "scaling": {"maxInstanceCount": 3},
                "nodeSelector": {"accelerator": "nvidia-l4"},
            },
        },
    ),
    Translated(
        "kubernetes_deployment_v1",
        {
            "metadata": [
                {"name": "chat", "namespace": "models", "labels": {"a_b": "c"}, "annotations": None}
            ],
            "spec": [
                {
                    "replicas": "3",
                    "selector": [{"match_labels": {"a_b": "c"}}],
                    "template": [
                        {
                            "metadata": [{"annotations": {"halfmetal.dev/home": "pool"}}],
                            "spec": [
                                {
                                    "node_selector": {"topology.kubernetes.io/zone": "a"},
                                    "toleration": [{"key": "nvidia.com/gpu", "effect": ""}],
                                    "container": [
                                        {
                                            "name": "server",
                                            "resources": [
                                                {"limits": {"nvidia.com/gpu": "1"}, "requests": {}}
                                            ],
                                        }
                                    ],
                                }
                            ],
                        }
                    ],
                }
            ],
        },
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "chat", "namespace": "models", "labels": {"a_b": "c"}},
            "spec": {
                "replicas": "3",
                "selector": {"matchLabels": {"a_b": "c"}},
                "template": {
                    "metadata": {"annotations": {"halfmetal.dev/home": "pool"}},
                    "spec": {
                        "nodeSelector": {"topology.kubernetes.io/zone": "a"},
                        "tolerations": [{"key": "nvidia.com/gpu"}],
                        "containers": [
                            {
                                "name": "server",
                                "resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {}},
                            }
                        ],
                    },
                },
            },
        },
    ),
    Translated(
        "kubernetes_manifest",
        {"manifest": {"value": {"apiVersion": "v1", "kind": "Secret", "data": {"a": "hidden"}}, "type": []}},
        "kubernetes:core/v1:Secret",
        {"apiVersion": "v1", "kind": "Secret", "data": UNKNOWN},
    ),
    Translated("kubernetes_manifest", {"manifest": 3}, "kubernetes_manifest", {}),
    Translated("aws_iam_role", {"name": "a", "inline_policy": "hidden"}, "aws_iam_role", {}),
]


@pytest.mark.parametrize("case", TRANSLATED, ids=lambda case: case.terraform_type)
def test_translation(case: Translated, tmp_path: Path) -> None:
    found = read(tmp_path, state(instances(case.terraform_type, "x", {"attributes": case.attributes})))
    (resource,) = found.resources
    assert (resource.resource_type, dict(resource.props)) == (case.type, case.props)
    assert (resource.name, resource.urn) == (
        f"{case.terraform_type}.x",
        f"{tmp_path / 'terraform.tfstate'}#{case.terraform_type}.x",
    )
    assert resource.location is not None
    assert resource.location.line == 6


@dataclass(frozen=True)
class Taken:
    says: str
    resource: Any
    names: list[str]
    unread: int = 0


TAKEN = [
    Taken(
        "counted",
        instances("aws_subnet", "a", {"index_key": 0}, {"index_key": 1}),
        ["aws_subnet.a[0]", "aws_subnet.a[1]"],
    ),
    Taken("by key", instances("aws_subnet", "a", {"index_key": 'x"y'}), [r'aws_subnet.a["x\"y"]']),
    Taken(
        "in a module", instances("aws_subnet", "a", {}, module="module.m[0]"), ["module.m[0].aws_subnet.a"]
    ),
    Taken("looked up and of use", instances("aws_subnet", "a", {}, mode="data"), ["data.aws_subnet.a"]),
    Taken("looked up", instances("aws_lambda_function", "a", {}, mode="data"), []),
    Taken("replaced and still to be deleted", instances("aws_subnet", "a", {"deposed": "1234"}), []),
    Taken("without instances", {"mode": "managed", "type": "aws_subnet"}, [], 1),
    Taken("no resource", 3, [], 1),
    Taken("no instance", instances("aws_subnet", "a", 3, {"attributes": 3}), ["aws_subnet.a"]),
    Taken("no type", instances(3, "a", {}), []),  # type: ignore[arg-type]  # what a broken state has
]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.says)
def test_what_is_taken(case: Taken, tmp_path: Path) -> None:
    found = read(tmp_path, state(case.resource, instances("aws_vpc", "beside", {})))
    assert names(found) == [*case.names, "aws_vpc.beside"]
    assert len(found.unread) == case.unread


def _attribute(*steps: str | int) -> list[dict[str, Any]]:
    return [
        {"type": "get_attr", "value": step}
        if isinstance(step, str)
        else {"type": "index", "value": {"value": step, "type": "number"}}
        for step in steps
    ]


@dataclass(frozen=True)
class Sensitive:
    says: str
    paths: Any
    props: dict[str, Any]


SENSITIVE = [
    Sensitive("an attribute", [_attribute("environment")], {"name": "embed", "environment": UNKNOWN}),
    Sensitive(
        "within a block",
        [_attribute("environment", 0, "variables", "TOKEN")],
        {"name": "embed", "environment": {"variables": {"TOKEN": UNKNOWN, "OTHER": "x"}}},
    ),
    Sensitive(
        "within each of a set",
        [_attribute("environment", "variables", "TOKEN")],
        {"name": "embed", "environment": {"variables": {"TOKEN": UNKNOWN, "OTHER": "x"}}},
    ),
    Sensitive("a path that is none", [[{"type": "index", "value": {"value": [1]}}]], {}),
    Sensitive("what is no path", ["environment"], {}),
    Sensitive("a path to all of it", [[]], {}),
    Sensitive(
        "a path to what is not there",
        [_attribute("nothing", "TOKEN")],
        {"name": "embed", "environment": {"variables": {"TOKEN": "hidden", "OTHER": "x"}}},
    ),
]


@pytest.mark.parametrize("case", SENSITIVE, ids=lambda case: case.says)
def test_what_is_sensitive_is_unknown(case: Sensitive, tmp_path: Path) -> None:
    attributes = {
        "function_name": "embed",
        "environment": [{"variables": {"TOKEN": "hidden", "OTHER": "x"}}],
    }
    instance = {"attributes": attributes, "sensitive_attributes": case.paths}
    (resource,) = read(tmp_path, state(instances("aws_lambda_function", "f", instance))).resources
    assert dict(resource.props) == case.props
    assert ("hidden" in repr(resource.props)) == ("hidden" in repr(case.props))


@pytest.mark.parametrize(
    ("path", "annotations"),
    [
        pytest.param(
            ("metadata", "annotations", "halfmetal.dev/workload"),
            {"halfmetal.dev/workload": UNKNOWN},
            id="a value",
        ),
        pytest.param(("metadata", "annotations"), UNKNOWN, id="what is around it"),
        pytest.param(("metadata", "annotations", "else", "where"), UNKNOWN, id="somewhere near it"),
    ],
)
def test_what_is_sensitive_in_an_object_of_kubernetes_is_unknown(
    path: tuple[str, ...], annotations: Any, tmp_path: Path
) -> None:
    """A state keeps it beside its type, of which no path tells."""
    metadata = {"name": "chat", "annotations": {"halfmetal.dev/workload": "hidden"}}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    attributes = {"manifest": {"value": manifest, "type": ["object", {"apiVersion": "string"}]}}
    instance = {"attributes": attributes, "sensitive_attributes": [_attribute("manifest", *path)]}
    (resource,) = read(tmp_path, state(instances("kubernetes_manifest", "chat", instance))).resources
    assert dict(resource.props) == {**manifest, "metadata": {"name": "chat", "annotations": annotations}}


def test_dependencies_of_a_state(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        state(
            instances("aws_subnet", "a", {"index_key": 0}, {"index_key": 1}, module="module.net[0]"),
            instances(
                "aws_eks_node_group", "g", {"dependencies": ["module.net.aws_subnet.a", "aws_iam_role.r", 3]}
            ),
        ),
    )
    first, second, group = found.resources
    assert group.dependencies == [first, second]


STATES = [
    (
        "of an older version",
        {"version": 3, "terraform_version": "0.11.0", "modules": []},
        "terraform show -json",
    ),
    ("encrypted", {"encrypted_data": "x", "lineage": "x", "serial": 1}, "tofu show -json"),
]


@pytest.mark.parametrize(("says", "value", "remedy"), STATES, ids=[says for says, *_ in STATES])
def test_states_that_are_not_read(says: str, value: dict[str, Any], remedy: str, tmp_path: Path) -> None:
    (unread,) = read(tmp_path, value).unread
    assert remedy in unread.remedy, says


# -- what `terraform show -json` prints


def described(address: str, /, values: Any = None, sensitive: Any = None, **rest: Any) -> dict[str, Any]:
    plain = address.rpartition("module.")[2].split(".")
    kind = next(part for part in plain if part.startswith("aws_"))
    mode = "data" if "data." in address else "managed"
    return {
        "address": address,
        "mode": mode,
        "type": kind,
        "values": values or {},
        "sensitive_values": sensitive or {},
        **rest,
    }


def module(*resources: Any, within: list[Any] | None = None) -> dict[str, Any]:
    return {"resources": list(resources), "child_modules": within or []}


def test_a_state_that_was_shown(tmp_path: Path) -> None:
    value = {
        "format_version": "1.0",
        "values": {
            "root_module": module(
                described(
                    "aws_lambda_function.f",
                    {"function_name": "embed", "environment": [{"variables": {"A": "hidden"}}]},
                    {"environment": [{"variables": {"A": True}}]},
                    depends_on=["module.m.aws_subnet.a"],
                ),
                within=[module(described('module.m["x"].aws_subnet.a[0]'), 3)],
            )
        },
    }
    found = read(tmp_path, value, "shown.json")
    function, subnet = found.resources
    assert dict(function.props) == {"name": "embed", "environment": {"variables": {"A": UNKNOWN}}}
    assert function.dependencies == [subnet]
    assert found.kinds == {Kind.TERRAFORM_STATE: 2}
    assert len(found.unread) == 1


def refers(*references: str) -> dict[str, Any]:
    return {"references": list(references)}


def configured(address: str, expressions: Any = None, **rest: Any) -> dict[str, Any]:
    return {"address": address, "type": address.split(".")[-2], "expressions": expressions or {}, **rest}


def plan(
    root: dict[str, Any], config: Any = None, changes: Any = None, prior: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": root},
        "resource_changes": [
            {"address": address, "change": change} for address, change in (changes or {}).items()
        ],
        "prior_state": {"values": {"root_module": prior or module()}},
        "configuration": {"root_module": config or {}},
    }


@dataclass(frozen=True)
class Planned:
    says: str
    values: dict[str, Any]
    change: dict[str, Any]
    props: dict[str, Any]
    sensitive: dict[str, Any] = field(default_factory=dict)


PLANNED = [
    Planned("known", {"memory_size": 512}, {"after_unknown": {"tags": {}}}, {"memorySize": 512}),
    Planned("told by applying", {"memory_size": None}, {"after_unknown": {"arn": True}}, {"arn": UNKNOWN}),
    Planned(
        "a block of which some is told by applying",
        {"logging_config": [{"log_format": "JSON"}]},
        {"after_unknown": {"logging_config": [{"log_group": True}]}},
        {"loggingConfig": {"logFormat": "JSON", "logGroup": UNKNOWN}},
    ),
    Planned(
        "a block that is told by applying",
        {},
        {"after_unknown": {"vpc_config": [{"vpc_id": True}], "layers": [False]}},
        {"vpcConfig": {"vpcId": UNKNOWN}},
    ),
    Planned(
        "items of a list",
        {"layers": ["a"]},
        {"after_unknown": {"layers": [False, True]}},
        {"layers": ["a", UNKNOWN]},
    ),
    Planned(
        "sensitive by its change",
        {"timeout": 7},
        {"after_sensitive": {"timeout": True}},
        {"timeout": UNKNOWN},
    ),
    Planned("sensitive by itself", {"timeout": 7}, {}, {"timeout": UNKNOWN}, {"timeout": True}),
    Planned("all of it", {"timeout": 7}, {"after_sensitive": True}, {}),
    Planned(
        "flags that are none", {"timeout": 7}, {"after_unknown": 3, "after_sensitive": []}, {"timeout": 7}
    ),
]


@pytest.mark.parametrize("case", PLANNED, ids=lambda case: case.says)
def test_planned_values(case: Planned, tmp_path: Path) -> None:
    function = described("aws_lambda_function.f", case.values, case.sensitive)
    found = read(
        tmp_path, plan(module(function), changes={"aws_lambda_function.f": case.change}), "plan.json"
    )
    (resource,) = found.resources
    assert dict(resource.props) == case.props
    assert found.kinds == {Kind.TERRAFORM_PLAN: 1}


def test_what_was_looked_up_and_what_is_deleted(tmp_path: Path) -> None:
    prior = module(
        described("data.aws_subnet.a", {"id": "subnet-1", "availability_zone": "us-east-1a"}),
        described("aws_lambda_function.gone", {"function_name": "gone"}),
    )
    found = read(tmp_path, plan(module(described("aws_subnet.b")), prior=prior), "plan.json")
    assert names(found) == ["aws_subnet.b", "data.aws_subnet.a"]


@dataclass(frozen=True)
class Related:
    says: str
    resources: list[str]
    config: dict[str, Any]
    related: dict[str, dict[str, list[str]]]


GROUP = "aws_eks_node_group.g"
RELATED = [
    Related(
        "a reference",
        [GROUP, "aws_subnet.a", "aws_subnet.b"],
        {"resources": [configured(GROUP, {"subnet_ids": refers("aws_subnet.a.id", "aws_subnet.a")})]},
        {GROUP: {"subnetIds": ["aws_subnet.a"]}},
    ),
    Related(
        "in a block",
        [GROUP, "aws_launch_template.t"],
        {"resources": [configured(GROUP, {"launch_template": [{"id": refers("aws_launch_template.t.id")}]})]},
        {GROUP: {"launchTemplate": ["aws_launch_template.t"]}},
    ),
    Related(
        "to what was looked up",
        [GROUP, "data.aws_subnet.a"],
        {
            "resources": [
                configured(GROUP, {"subnet_ids": refers("data.aws_subnet.a.id", "data.aws_subnet.a")})
            ]
        },
        {GROUP: {"subnetIds": ["data.aws_subnet.a"]}},
    ),
    Related(
        "to every instance",
        [GROUP, "aws_subnet.a[0]", "aws_subnet.a[1]"],
        {"resources": [configured(GROUP, {"subnet_ids": refers("aws_subnet.a")})]},
        {GROUP: {"subnetIds": ["aws_subnet.a[0]", "aws_subnet.a[1]"]}},
    ),
    Related(
        "to the instance of the same key",
        [f'{GROUP}["a"]', f'{GROUP}["b"]', 'aws_subnet.s["a"]', 'aws_subnet.s["b"]'],
        {"resources": [configured(GROUP, {"subnet_ids": refers("aws_subnet.s", "each.key")})]},
        {
            f'{GROUP}["a"]': {"subnetIds": ['aws_subnet.s["a"]']},
            f'{GROUP}["b"]': {"subnetIds": ['aws_subnet.s["b"]']},
        },
    ),
    Related(
        "to what it is made for each of",
        [f'{GROUP}["a"]', 'aws_subnet.s["a"]', 'aws_subnet.s["b"]'],
        {
            "resources": [
                configured(
                    GROUP,
                    {"subnet_ids": refers("each.value.id", "each.value")},
                    for_each_expression=refers("aws_subnet.s"),
                )
            ]
        },
        {f'{GROUP}["a"]': {"subnetIds": ['aws_subnet.s["a"]']}},
    ),
    Related(
        "through an output and a variable",
        ["module.nodes[0].aws_eks_node_group.g", "module.net.aws_subnet.a"],
        {
            "module_calls": {
                "nodes": {
                    "expressions": {"subnets": refers("module.net.ids", "module.net")},
                    "module": {"resources": [configured(GROUP, {"subnet_ids": refers("var.subnets")})]},
                },
                "net": {"module": {"outputs": {"ids": {"expression": refers("aws_subnet.a")}}}},
            }
        },
        {"module.nodes[0].aws_eks_node_group.g": {"subnetIds": ["module.net.aws_subnet.a"]}},
    ),
    Related(
        "within the same instance of a module",
        [
            'module.m["a"].aws_eks_node_group.g',
            'module.m["a"].aws_subnet.s',
            'module.m["b"].aws_eks_node_group.g',
            'module.m["b"].aws_subnet.s',
        ],
        {
            "module_calls": {
                "m": {"module": {"resources": [configured(GROUP, {"subnet_ids": refers("aws_subnet.s")})]}}
            }
        },
        {
            'module.m["a"].aws_eks_node_group.g': {"subnetIds": ['module.m["a"].aws_subnet.s']},
            'module.m["b"].aws_eks_node_group.g': {"subnetIds": ['module.m["b"].aws_subnet.s']},
        },
    ),
    Related(
        "through what goes in a circle",
        [GROUP, "module.m.aws_subnet.a"],
        {
            "resources": [configured(GROUP, {"subnet_ids": refers("module.m.x")})],
            "module_calls": {
                "m": {
                    "expressions": {"x": refers("module.m.x")},
                    "module": {"outputs": {"x": {"expression": refers("var.x")}}},
                }
            },
        },
        {},
    ),
    Related(
        "to nothing",
        [GROUP],
        {
            "resources": [
                configured(
                    GROUP, {"subnet_ids": refers("local.x", "var.y", "path.module", "module.none.z", "", "x")}
                ),
                configured(GROUP, 3),
                3,
            ],
            "module_calls": {"broken": 3},
        },
        {},
    ),
]


@pytest.mark.parametrize("case", RELATED, ids=lambda case: case.says)
def test_relations_of_a_plan(case: Related, tmp_path: Path) -> None:
    found = read(tmp_path, plan(module(*map(described, case.resources)), case.config), "plan.json")
    related = {
        each.name: {name: [of.name for of in sources] for name, sources in each.property_dependencies.items()}
        for each in found.resources
        if each.property_dependencies
    }
    assert related == case.related
    for each in found.resources:
        assert {of.name for of in each.dependencies} == {
            of.name for sources in each.property_dependencies.values() for of in sources
        }


def test_what_a_resource_of_a_plan_waits_for(tmp_path: Path) -> None:
    config = {"resources": [configured(GROUP, depends_on=["aws_subnet.a", "module.m", 3])]}
    found = read(tmp_path, plan(module(described(GROUP), described("aws_subnet.a")), config), "plan.json")
    group, subnet = found.resources
    assert (group.dependencies, group.property_dependencies) == ([subnet], {})


def test_modules_within_modules_without_end(tmp_path: Path) -> None:
    root = module(described("aws_subnet.inner"))
    for _ in range(80):
        root = module(within=[root])
    found = read(tmp_path, plan(root), "plan.json")
    assert (found.resources, len(found.unread)) == ((), 1)
