"""SAM templates: CloudFormation, with shorter words for functions and what calls them.

SAM's own transform runs in AWS. Its functions are read as what it makes of them, with the template's globals
merged in; an event becomes the rule, the subscription, the mapping or the integration that calls the
function.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from policies.audit.sources.cloudformation import Entry, resources_of, written
from policies.audit.sources.documents import Document, Found
from policies.audit.sources.model import Unread
from policies.audit.sources.types import Part

_PREFIX: Final = "AWS::Serverless::"
_TRANSFORM: Final = "AWS::Serverless-2016-10-31"
_NOTIFICATION: Final = Part(
    "",
    "aws:s3/bucketNotification:BucketNotification",
    names={"LambdaConfigurations": "lambdaFunctions", "LambdaConfigurations.Function": "lambdaFunctionArn"},
)
_REST_INTEGRATION: Final = Part("", "aws:apigateway/integration:Integration", names={"RestApiId": "restApi"})
_LARGE: Final = 1000
_INSTANCES: Final = {"AllowedTypes": "AllowedInstanceTypes", "ExcludedTypes": "ExcludedInstanceTypes"}
_NOT_THE_FUNCTIONS_OWN: Final = (
    "Events",
    "AutoPublishAlias",
    "ProvisionedConcurrencyConfig",
    "CodeUri",
    "InlineCode",
)


def is_one(value: Any) -> bool:
    """Whether a document is a SAM template."""
    if not isinstance(value, Mapping) or not isinstance(value.get("Resources"), Mapping):
        return False
    transform = value.get("Transform")
    if _TRANSFORM in (transform if isinstance(transform, list) else [transform]):
        return True
    return any(
        isinstance(each, Mapping) and str(each.get("Type")).startswith(_PREFIX)
        for each in value["Resources"].values()
    )


def read(document: Document) -> Found:
    """Every resource of a template, as SAM would have it created."""
    template = document.value
    defaults = template.get("Globals")
    if _is_large(defaults):
        yield document.unread(
            f"has globals of more than {_LARGE:,} values", "leave out what no function needs"
        )
        return
    entries: list[Entry] = []
    for each in written(document, template, ("Resources",)):
        if isinstance(each, Unread):
            yield each
        else:
            entries += _expanded(each, defaults)
    yield from resources_of(document, template, entries)


def _is_large(value: Any) -> bool:
    """Whether a value has so many within it that no copy of it should be made for every function."""
    waiting, count = [value], 0
    while waiting and count <= _LARGE:
        each = waiting.pop()
        inner = list(each.values()) if isinstance(each, dict) else each if isinstance(each, list) else []
        count += len(inner)
        waiting += inner
    return count > _LARGE


def _expanded(entry: Entry, defaults: Any) -> Iterator[Entry]:
    kind = entry.type.removeprefix(_PREFIX)
    if kind == entry.type:
        yield entry
        return
    stated = defaults.get(kind) if isinstance(defaults, Mapping) else None
    if isinstance(stated, Mapping):
        entry = replace(entry, properties=merged(stated, entry.properties))
    expand = _KINDS.get(kind)
    if expand is None:
        yield entry
    else:
        yield from expand(entry)


def merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Globals with what a resource says itself: mappings are merged, lists added to, the rest is replaced."""
    both = dict(defaults)
    for key, value in own.items():
        given = both.get(key)
        if isinstance(given, Mapping) and isinstance(value, Mapping) and not _is_intrinsic(value):
            both[key] = merged(given, value)
        elif isinstance(given, list) and isinstance(value, list):
            both[key] = [*given, *value]
        else:
            both[key] = value
    return both


def _is_intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and all(key == "Ref" or key.startswith("Fn::") for key in value)


# -- functions


def _function(entry: Entry) -> Iterator[Entry]:
    properties = dict(entry.properties)
    events, alias, provisioned, *_ = (properties.pop(name, None) for name in _NOT_THE_FUNCTIONS_OWN)
    provider = properties.pop("CapacityProviderConfig", None)
    if provider is not None:
        own = {"CapacityProviderArn": provider.get("Arn")} if isinstance(provider, Mapping) else provider
        properties["CapacityProviderConfig"] = {"LambdaManagedInstancesCapacityProviderConfig": own}
    yield replace(entry, type="AWS::Lambda::Function", properties=properties)
    if alias is not None:
        published: dict[str, Any] = {"FunctionName": {"Ref": entry.logical_id}, "Name": alias}
        if provisioned is not None:
            published["ProvisionedConcurrencyConfig"] = provisioned
        yield replace(
            entry,
            logical_id=f"{entry.logical_id}Alias{alias if isinstance(alias, str) else ''}",
            type="AWS::Lambda::Alias",
            properties=published,
        )
    if isinstance(events, Mapping):
        for name, event in events.items():
            yield from _event(entry, name, event)


def _event(entry: Entry, name: str, event: Any) -> Iterator[Entry]:
    if not isinstance(event, Mapping):
        return
    given = event.get("Properties")
    make = _EVENTS.get(str(event.get("Type")))
    if make is not None:
        made_type, properties, part = make(entry.logical_id, given if isinstance(given, Mapping) else {})
        yield Entry(
            f"{entry.logical_id}{name}", made_type, properties, entry.path, entry.condition, part=part
        )


_Made = tuple[str, Mapping[str, Any], Part | None]
_Event = Callable[[str, Mapping[str, Any]], _Made]


def arn_of(function: str) -> Mapping[str, Any]:
    """The ARN of a function, as a template has it."""
    return {"Fn::GetAtt": [function, "Arn"]}


def rule(function: str, _: Mapping[str, Any]) -> _Made:
    """A rule of EventBridge."""
    return "AWS::Events::Rule", {"Targets": [{"Arn": arn_of(function)}]}, None


def schedule(function: str, _: Mapping[str, Any]) -> _Made:
    """A schedule of EventBridge's scheduler."""
    return "AWS::Scheduler::Schedule", {"Target": {"Arn": arn_of(function)}}, None


def subscription(function: str, given: Mapping[str, Any]) -> _Made:
    """A subscription to a topic."""
    properties = {"Endpoint": arn_of(function), "Protocol": "lambda", "TopicArn": given.get("Topic")}
    return "AWS::SNS::Subscription", properties, None


def notification(function: str, _: Mapping[str, Any]) -> _Made:
    """What a bucket tells."""
    return "AWS::S3::Bucket", {"LambdaConfigurations": [{"Function": arn_of(function)}]}, _NOTIFICATION


def rest_api(function: str, given: Mapping[str, Any]) -> _Made:
    """A route of a REST API."""
    properties = {"Uri": arn_of(function), "Type": "AWS_PROXY", "RestApiId": given.get("RestApiId")}
    return "AWS::ApiGateway::Method", properties, _REST_INTEGRATION


def http_api(function: str, given: Mapping[str, Any]) -> _Made:
    """A route of an HTTP API."""
    properties = {
        "ApiId": given.get("ApiId"),
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": arn_of(function),
        "PayloadFormatVersion": given.get("PayloadFormatVersion", "2.0"),
    }
    return "AWS::ApiGatewayV2::Integration", properties, None


def mapping(source: str) -> _Event:
    """What takes events from a queue or a stream, which the event names by this property."""

    def make(function: str, given: Mapping[str, Any]) -> _Made:
        properties = {"FunctionName": {"Ref": function}, "EventSourceArn": given.get(source)}
        return "AWS::Lambda::EventSourceMapping", properties, None

    return make


_EVENTS: Final[Mapping[str, _Event]] = {
    "Api": rest_api,
    "CloudWatchEvent": rule,
    "DocumentDB": mapping("Cluster"),
    "DynamoDB": mapping("Stream"),
    "EventBridgeRule": rule,
    "HttpApi": http_api,
    "Kinesis": mapping("Stream"),
    "MQ": mapping("Broker"),
    "MSK": mapping("Stream"),
    "S3": notification,
    "SNS": subscription,
    "SQS": mapping("Queue"),
    "Schedule": rule,
    "ScheduleV2": schedule,
}


# -- other kinds


def _state_machine(entry: Entry) -> Iterator[Entry]:
    properties = dict(entry.properties)
    properties.pop("Events", None)
    if "Name" in properties:
        properties["StateMachineName"] = properties.pop("Name")
    if "DefinitionUri" in properties:  # another file, of which a template tells only the name
        properties["DefinitionString"] = {"Fn::Transform": properties.pop("DefinitionUri")}
    yield replace(entry, type="AWS::StepFunctions::StateMachine", properties=properties)


def _http_apis(entry: Entry) -> Iterator[Entry]:
    properties = {**entry.properties, "ProtocolType": "HTTP"}
    yield replace(entry, type="AWS::ApiGatewayV2::Api", properties=properties)


def _capacity_provider(entry: Entry) -> Iterator[Entry]:
    properties = dict(entry.properties)
    if "ScalingConfig" in properties:
        properties["CapacityProviderScalingConfig"] = properties.pop("ScalingConfig")
    asked = properties.get("InstanceRequirements")
    if isinstance(asked, Mapping) and not _is_intrinsic(asked):
        properties["InstanceRequirements"] = {_INSTANCES.get(key, key): each for key, each in asked.items()}
    yield replace(entry, type="AWS::Lambda::CapacityProvider", properties=properties)


def _as(made_type: str) -> Callable[[Entry], Iterator[Entry]]:
    def expand(entry: Entry) -> Iterator[Entry]:
        yield replace(entry, type=made_type)

    return expand


_KINDS: Final[Mapping[str, Callable[[Entry], Iterator[Entry]]]] = {
    "Api": _as("AWS::ApiGateway::RestApi"),
    "CapacityProvider": _capacity_provider,
    "Function": _function,
    "HttpApi": _http_apis,
    "StateMachine": _state_machine,
}
