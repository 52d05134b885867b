"""Resources in the words of the sources that an audit reads: states, templates and manifests."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import yaml
from carriers import Hidden, Id, Made

from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CAPACITY, CLUSTER, PLACEMENT_GROUP, SUBNET
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP

Path = tuple[str | int, ...]

_SECRET: Final = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def id_of(name: str) -> str:
    """The id that the cloud gave a resource."""
    return f"id-{name}"


def replaced(value: Any, of: Callable[[Any], Any]) -> Any:
    """A value with what stands in it for something else replaced."""
    if isinstance(value, Mapping):
        return {key: replaced(each, of) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(each, of) for each in value]
    return of(value)


def known(value: Any, hidden: Callable[[Hidden], Any]) -> Any:
    """A value with literal ids, and something for what is hidden."""

    def one(each: Any) -> Any:
        return id_of(each.of) if isinstance(each, Id) else hidden(each) if isinstance(each, Hidden) else each

    return replaced(value, one)


def shown(hidden: Hidden) -> Any:
    """What is hidden itself, where something beside it says that it is."""
    return hidden.value


# -- Pulumi


def urn(made: Made, stack: str) -> str:
    return f"urn:pulumi:{stack}::models::{made.type}::{made.name}"


def encrypted(hidden: Hidden) -> Any:
    """As a secret that only its owner can open."""
    return {**_SECRET, "ciphertext": f"v1:{hidden.value}"}


def opened(hidden: Hidden) -> Any:
    """As a secret that its owner opened: `pulumi stack export --show-secrets`."""
    return {**_SECRET, "plaintext": json.dumps(hidden.value)}


def pulumi_state(
    resources: Iterable[Made],
    stack: str,
    asked: Callable[[Hidden], Any] = encrypted,
    told: Callable[[Hidden], Any] = encrypted,
) -> str:
    """What `pulumi stack export` prints. What was asked for and what the provider told may differ."""
    states = [
        {
            "urn": urn(made, stack),
            "type": made.type,
            "custom": True,
            "id": id_of(made.name),
            "inputs": known(made.props, asked),
            "outputs": known(made.props, told),
        }
        for made in resources
    ]
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": states}})


# -- Terraform

_TERRAFORM: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    FUNCTION: ("aws_lambda_function", {"name": "function_name"}),
    LOG_GROUP: ("aws_cloudwatch_log_group", {}),
    ALARM: ("aws_cloudwatch_metric_alarm", {"name": "alarm_name"}),
    BUDGET: ("aws_budgets_budget", {"notifications": "notification"}),
    NODE_GROUP: ("aws_eks_node_group", {"taints": "taint"}),
    LAUNCH_TEMPLATE: ("aws_launch_template", {}),
    SUBNET: ("aws_subnet", {}),
    CAPACITY[1]: ("aws_ec2_capacity_reservation", {}),
    PLACEMENT_GROUP: ("aws_placement_group", {}),
    CLUSTER: ("aws_eks_cluster", {}),
}
_MANIFEST: Final = "kubernetes_manifest"
"""What makes any object of Kubernetes, by its provider."""
_OWN_WORDS: Final = ("tags", "dimensions", "labels")


def terraform_name(made: Made) -> str:
    """Its address."""
    return f"{_terraform_type(made)}.{made.name}"


def _terraform_type(made: Made) -> str:
    return _MANIFEST if made.type not in _TERRAFORM else _TERRAFORM[made.type][0]


def _attributes(made: Made) -> dict[str, Any]:
    """A resource's properties in its spelling; an object of Kubernetes as it is."""
    if made.type not in _TERRAFORM:
        return {"manifest": dict(made.props)}
    return _blocks(made.props, _TERRAFORM[made.type][1])


def terraform_state(resources: Iterable[Made]) -> str:
    """The file of a backend."""
    states = []
    for made in resources:
        attributes = _attributes(made)
        stored = known(attributes, shown)
        if made.type not in _TERRAFORM:
            stored["manifest"] = {"value": stored["manifest"], "type": "dynamic"}
        instance = {
            "schema_version": 0,
            "attributes": {"id": id_of(made.name), **stored},
            "sensitive_attributes": [
                [_terraform_step(step) for step in path] for path in _hidden(attributes, ())
            ],
        }
        kind = _terraform_type(made)
        states.append({"mode": "managed", "type": kind, "name": made.name, "instances": [instance]})
    head = {"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "of-a-test"}
    return json.dumps({**head, "outputs": {}, "resources": states})


def terraform_shown(resources: Iterable[Made]) -> str:
    """What `terraform show -json` prints of a state."""
    root = {"resources": [_described(made) for made in resources]}
    return json.dumps(
        {"format_version": "1.0", "terraform_version": "1.9.5", "values": {"root_module": root}}
    )


def terraform_plan(resources: Iterable[Made]) -> str:
    """What `terraform show -json` prints of a plan that makes everything."""
    described = [_described(made) for made in resources]
    changes = [
        {
            **{key: each[key] for key in ("address", "mode", "type", "name")},
            "change": {
                "actions": ["create"],
                "before": None,
                "after": each["values"],
                "after_unknown": {},
                "before_sensitive": False,
                "after_sensitive": each["sensitive_values"],
            },
        }
        for each in described
    ]
    planned = {"root_module": {"resources": described}}
    head = {"format_version": "1.2", "terraform_version": "1.9.5"}
    return json.dumps({**head, "planned_values": planned, "resource_changes": changes})


def _described(made: Made) -> dict[str, Any]:
    attributes = _attributes(made)
    return {
        "address": terraform_name(made),
        "mode": "managed",
        "type": _terraform_type(made),
        "name": made.name,
        "values": {"id": id_of(made.name), **known(attributes, shown)},
        "sensitive_values": _flags(attributes),
    }


def _flags(value: Any) -> Any:
    """A value's shape with what is hidden in it marked."""
    if isinstance(value, Mapping):
        return {key: _flags(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_flags(each) for each in value]
    return isinstance(value, Hidden)


def _blocks(props: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """In its spelling, each object as a block, which is a list of one."""
    found = {}
    for key, value in props.items():
        inner = value
        if isinstance(value, Mapping) and key not in _OWN_WORDS:
            inner = [_blocks(value, {})]
        elif isinstance(value, list):
            inner = [_blocks(each, {}) if isinstance(each, Mapping) else each for each in value]
        found[names.get(key) or re.sub("([A-Z])", lambda match: f"_{match[0].lower()}", key)] = inner
    return found


def _hidden(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, Hidden):
        yield path
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _hidden(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _hidden(each, (*path, index))


def _terraform_step(step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        return {"type": "index", "value": {"value": step, "type": "number"}}
    return {"type": "get_attr", "value": step}


# -- CloudFormation

_CLOUDFORMATION: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    FUNCTION: ("AWS::Lambda::Function", {"name": "FunctionName"}),
    LOG_GROUP: ("AWS::Logs::LogGroup", {"name": "LogGroupName"}),
    ALARM: ("AWS::CloudWatch::Alarm", {"name": "AlarmName"}),
    BUDGET: ("AWS::Budgets::Budget", {"name": "BudgetName"}),
    NODE_GROUP: ("AWS::EKS::Nodegroup", {"nodeGroupName": "NodegroupName", "subnetIds": "Subnets"}),
    LAUNCH_TEMPLATE: ("AWS::EC2::LaunchTemplate", {}),
    SUBNET: ("AWS::EC2::Subnet", {}),
    CAPACITY[1]: ("AWS::EC2::CapacityReservation", {}),
    PLACEMENT_GROUP: ("AWS::EC2::PlacementGroup", {"name": "GroupName"}),
    CLUSTER: ("AWS::EKS::Cluster", {}),
}
_WITHIN: Final = {LAUNCH_TEMPLATE: "LaunchTemplateData"}


def cloudformation_name(made: Made) -> str:
    """Its logical ID, which is letters and digits."""
    return "".join(part.capitalize() for part in made.name.split("-"))


def cloudformation_template(resources: Iterable[Made]) -> str:
    """A template with parameters that are not to be told, whatever value they have by default."""
    every = list(resources)
    parameters: dict[str, Any] = {}
    logical = {made.name: cloudformation_name(made) for made in every}

    def reference(value: Any) -> Any:
        if isinstance(value, Id):
            return {"Ref": logical[value.of]}
        if not isinstance(value, Hidden):
            return value
        name = f"Hidden{len(parameters)}"
        parameters[name] = {"Type": "String", "NoEcho": True, "Default": value.value}
        return {"Ref": name}

    made_of = {
        logical[made.name]: {
            "Type": _CLOUDFORMATION[made.type][0],
            "Properties": replaced(_properties(made), reference),
        }
        for made in every
    }
    return json.dumps(
        {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": made_of}
    )


def _properties(made: Made) -> dict[str, Any]:
    names = _CLOUDFORMATION[made.type][1]
    props = dict(made.props)
    if made.type == BUDGET:
        return _budget(props)
    kinds = props.pop("enabledClusterLogTypes", None)
    found = _capitalized(props, names)
    if made.type in _WITHIN:
        # Tags of a launch template itself are beside what it describes.
        found = {_WITHIN[made.type]: found}
    if isinstance(kinds, Hidden):
        found["Logging"] = kinds
    elif kinds is not None:
        found["Logging"] = {"ClusterLogging": {"EnabledTypes": [{"Type": kind} for kind in kinds]}}
    return found


def _budget(props: Mapping[str, Any]) -> dict[str, Any]:
    """A budget, and beside it who is told of it."""
    stated = dict(props)
    limit, told = stated.pop("limitAmount"), stated.pop("notifications")
    within = {**_capitalized(stated, {"name": "BudgetName"}), "BudgetLimit": {"Amount": limit, "Unit": "USD"}}
    return {"Budget": within, "NotificationsWithSubscribers": _each(told, _notification)}


def _notification(notice: Any) -> Any:
    if isinstance(notice, Hidden):
        return notice
    emails = notice["subscriberEmailAddresses"]
    return {"Subscribers": _each(emails, lambda email: {"SubscriptionType": "EMAIL", "Address": email})}


def _each(several: Any, of: Callable[[Any], Any]) -> Any:
    return several if isinstance(several, Hidden) else [of(one) for one in several]


def _capitalized(props: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in props.items():
        inner = value
        if isinstance(value, Hidden):
            pass
        elif key == "tags":
            inner = [{"Key": name, "Value": each} for name, each in value.items()]
        elif key == "dimensions":
            inner = [{"Name": name, "Value": each} for name, each in value.items()]
        elif isinstance(value, Mapping) and key != "labels":
            inner = _capitalized(value, {})
        elif isinstance(value, list):
            inner = [_capitalized(each, {}) if isinstance(each, Mapping) else each for each in value]
        found[names.get(key) or f"{key[0].upper()}{key[1:]}"] = inner
    return found


# -- Kubernetes


def manifests(resources: Iterable[Made]) -> str:
    """Documents of YAML, in which nothing can be hidden: what should be is left out."""
    return yaml.dump_all((_without_hidden(made.props) for made in resources), Dumper=yaml.CSafeDumper)


def _without_hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_hidden(each) for key, each in value.items() if not isinstance(each, Hidden)}
    if isinstance(value, list):
        return [_without_hidden(each) for each in value if not isinstance(each, Hidden)]
    return value
