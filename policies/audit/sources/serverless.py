"""A file of the Serverless Framework, as the template that it is packaged into.

Its variables (`${…}`) are read from the environment, other files or a cloud, so each is UNKNOWN. Its defaults
are the framework's own, not Lambda's. Its section of resources is CloudFormation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources import cloudformation, sam
from policies.audit.sources.cloudformation import Entry
from policies.audit.sources.documents import Document, Found
from policies.audit.sources.model import Unread
from policies.audit.sources.places import Path
from policies.reading.bags import UNKNOWN
from policies.resources import Dialect

_VARIABLE: Final = pattern(r"\$\{\s*[\w-]+\s*(?:\(|:(?!:))")
"""`${self:custom.x}`, `${file(x.yml)}`; not `${AWS::Region}`, which is for CloudFormation."""
_MEMORY: Final = 1024
_TIMEOUT: Final = 6
_MOST_TAGS: Final = 1000
"""Twenty times what AWS takes; more of them are not copied for every function."""
_STAGE: Final = "dev"
_PACKAGED: Final = (
    "audit what it becomes: serverless package, then .serverless/cloudformation-template-update-stack.json"
)
_EVENTS: Final = {
    "cloudwatchEvent": sam.rule,
    "eventBridge": sam.rule,
    "http": sam.rest_api,
    "httpApi": sam.http_api,
    "s3": sam.notification,
    "schedule": sam.rule,
    "sns": sam.subscription,
    "sqs": sam.mapping("arn"),
    "stream": sam.mapping("arn"),
    "kafka": sam.mapping("arn"),
    "msk": sam.mapping("arn"),
    "activemq": sam.mapping("arn"),
    "rabbitmq": sam.mapping("arn"),
}


def is_one(value: Any) -> bool:
    """Whether a document is a file of the Serverless Framework."""
    return (
        isinstance(value, Mapping) and "service" in value and isinstance(value.get("provider"), Mapping | str)
    )


def read(document: Document) -> Found:
    """The functions of a file with what calls and logs them, and its section of resources."""
    service = _Service(without_variables(document.value))
    cloud = service.provider.get("name")
    if cloud != "aws":
        yield document.unread(f"deploys to {str(cloud)[:40]!r}; only aws is read", _PACKAGED, "provider")
        return
    entries: list[Entry] = []
    template: dict[str, Any] = {}
    for path, section in service.sections():
        if not isinstance(section, Mapping):
            yield document.unread("is computed when it is packaged", _PACKAGED, *path)
            continue
        for name in ("Conditions", "Mappings", "Parameters"):
            if isinstance(section.get(name), Mapping):
                template[name] = {**template.get(name, {}), **section[name]}
        if isinstance(section.get("Resources"), Mapping):
            for each in cloudformation.written(document, section, (*path, "Resources")):
                if isinstance(each, Unread):
                    yield each
                else:
                    entries.append(each)
    for path, name, function in service.functions():
        if isinstance(function, Mapping):
            own = service.entries(name, function, path)
            entries += [replace(each, dialect=Dialect.SERVERLESS) for each in own]
        else:
            yield document.unread("is computed when it is packaged", _PACKAGED, *path)
    yield from cloudformation.resources_of(document, template, entries)


def without_variables(value: Any) -> Any:
    """A value with UNKNOWN for each text that has a variable in it."""
    if isinstance(value, dict):
        return {key: without_variables(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_variables(each) for each in value]
    return UNKNOWN if isinstance(value, str) and _VARIABLE.search(value) else value


class _Service:
    """A file, its variables taken out."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value
        provider = value["provider"]
        self.provider: Mapping[str, Any] = provider if isinstance(provider, Mapping) else {"name": provider}

    def sections(self) -> Iterator[tuple[Path, Any]]:
        """The section of resources, which may be several."""
        section = self._value.get("resources")
        if isinstance(section, list):
            for index, each in enumerate(section):
                yield ("resources", index), each
        elif section is not None:
            yield ("resources",), section

    def functions(self) -> Iterator[tuple[Path, str, Any]]:
        """Every function by name, of a mapping or a list of such."""
        functions = self._value.get("functions")
        if isinstance(functions, list):
            for index, each in enumerate(functions):
                if isinstance(each, Mapping):
                    yield from ((("functions", index), name, function) for name, function in each.items())
                else:
                    yield ("functions", index), "", each
        elif isinstance(functions, Mapping):
            yield from ((("functions", name), name, function) for name, function in functions.items())
        elif functions is not None:
            yield ("functions",), "", functions

    def entries(self, name: str, function: Mapping[str, Any], path: Path) -> Iterator[Entry]:
        """A function with its log group and what calls it."""
        normal = _normal(name)
        logical_id = f"{normal}LambdaFunction"
        deployed = function.get("name", self._name(name))
        yield Entry(logical_id, "AWS::Lambda::Function", self._properties(function, deployed), path)
        if not function.get("disableLogs"):
            group: dict[str, Any] = {"LogGroupName": {"Fn::Sub": f"/aws/lambda/${{{logical_id}}}"}}
            days = function.get("logRetentionInDays", self.provider.get("logRetentionInDays"))
            if days is not None:
                group["RetentionInDays"] = days
            yield Entry(f"{normal}LogGroup", "AWS::Logs::LogGroup", group, path)
        if "provisionedConcurrency" in function:
            alias = {
                "FunctionName": {"Ref": logical_id},
                "Name": "provisioned",
                "ProvisionedConcurrencyConfig": {
                    "ProvisionedConcurrentExecutions": function["provisionedConcurrency"]
                },
            }
            yield Entry(f"{normal}ProvConcLambdaAlias", "AWS::Lambda::Alias", alias, path)
        events = function.get("events")
        for index, event in enumerate(events if isinstance(events, list) else []):
            yield from _event(logical_id, index, event, path)

    def _name(self, name: str) -> Any:
        service, stage = self._value.get("service"), self.provider.get("stage", _STAGE)
        if isinstance(service, Mapping):
            service = service.get("name")
        if not isinstance(service, str) or not isinstance(stage, str):
            return UNKNOWN
        return f"{service}-{stage}-{name}"

    def _properties(self, function: Mapping[str, Any], name: Any) -> Mapping[str, Any]:
        tags = [bag for bag in (self.provider.get("tags"), function.get("tags")) if isinstance(bag, Mapping)]
        properties: dict[str, Any] = {
            "FunctionName": name,
            "MemorySize": self._setting(function, "memorySize", _MEMORY),
            "Timeout": self._setting(function, "timeout", _TIMEOUT),
            "ReservedConcurrentExecutions": function.get("reservedConcurrency"),
            "Runtime": self._setting(function, "runtime", None),
            "Architectures": self._setting(function, "architecture", None),
            "Tags": _merged(tags) or None,
        }
        if "image" in function:
            properties["PackageType"] = "Image"
        return {key: value for key, value in properties.items() if value is not None}

    def _setting(self, function: Mapping[str, Any], name: str, default: Any) -> Any:
        value = function.get(name)
        if value is None:
            value = self.provider.get(name)
        return default if value is None else value


def _merged(tags: list[Mapping[str, Any]]) -> Any:
    if sum(map(len, tags)) > _MOST_TAGS:
        return UNKNOWN
    return {key: value for bag in tags for key, value in bag.items()}


def _event(logical_id: str, index: int, event: Any, path: Path) -> Iterator[Entry]:
    if isinstance(event, str):
        event = {event: {}}
    if not isinstance(event, Mapping):
        return
    for kind, given in event.items():
        make = _EVENTS.get(kind)
        if make is None:
            continue
        properties = given if isinstance(given, Mapping) else {"arn": given, "Topic": given}
        made_type, written, part = make(logical_id, {"Topic": properties.get("arn"), **properties})
        yield Entry(f"{logical_id}Event{index + 1}", made_type, written, path, part=part)


def _normal(name: str) -> str:
    """A function's name as it is in logical IDs."""
    return (name[:1].upper() + name[1:]).replace("-", "Dash").replace("_", "Underscore")
