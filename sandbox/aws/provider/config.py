"""The provider's own configuration, and the one rule that it keeps: nothing leaves this machine.

The stand-in has no idea of a real account's dangers: it makes and deletes what the program says, with dummy
credentials. So it talks to loopback addresses only and refuses everything else, an absent endpoint (which
to any AWS library means the real cloud) included.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.aws.provider import sdk
from sandbox.aws.provider.errors import Failure, ProviderError
from sandbox.aws.provider.shapes import type_failures, unknown_names
from sandbox.aws.provider.values import UNKNOWN, Bag, has_unknown, reveal

_GENERAL = "AWS_ENDPOINT_URL"
_REMEDY = 'start the sandbox with `make up` and take its environment: eval "$(halfmetal sandbox env)"'
# The provider names endpoints as Terraform does, with several names for some services.
_ENDPOINT_NAMES: Mapping[str, tuple[str, ...]] = {
    "logs": ("logs", "cloudwatchlogs", "cloudwatchlog"),
    "lambda": ("lambda", "awslambda"),
    "elbv2": ("elbv2", "elasticloadbalancingv2"),
    "budgets": ("budgets", "budget"),
}


@dataclass(frozen=True)
class Config:
    """What the operations need to know of the provider's configuration."""

    region: str
    endpoint: str = ""
    """For the services that have no endpoint of their own."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    access_key: str = "sandbox"
    secret_key: str = "sandbox"
    token: str = ""
    path_style: bool = True
    max_attempts: int = 6
    default_tags: Mapping[str, str] = field(default_factory=dict)
    ignored_tags: frozenset[str] = frozenset()
    ignored_tag_prefixes: tuple[str, ...] = ()

    def endpoint_of(self, service: str) -> str:
        """The address of a service; an error where none is configured for it."""
        names = _ENDPOINT_NAMES.get(service, (service,))
        own = next((self.endpoints[name] for name in names if name in self.endpoints), "")
        if not (own or self.endpoint):
            raise ProviderError(f"no endpoint is configured for the AWS service {service}: {_REMEDY}")
        return own or self.endpoint


def plain(news: Bag) -> Bag:
    """Configuration as the program meant it: everything but strings arrives as JSON text."""
    known = sdk.provider_signature().inputs
    result = {}
    for name, value in reveal(news).items():
        kind = known[name].kind if name in known else "str"
        result[name] = value if kind == "str" else _parsed(value)
    return result


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def failures(given: Bag, environment: Mapping[str, str]) -> list[Failure]:
    """What is wrong with the configuration: names, types, regions, addresses."""
    signature = sdk.provider_signature()
    found = unknown_names({k: v for k, v in given.items() if k != "version"}, signature.inputs)
    for name, value in given.items():
        if name in signature.inputs:
            found += type_failures(value, signature.inputs[name], name)
    if found:
        return found
    if not _region(given, environment):
        found.append(
            Failure("region", "is not set: run `pulumi config set aws:region us-east-1`, or set AWS_REGION")
        )
    if not has_unknown(given.get("endpoints")):
        found += _endpoint_failures(given, environment)
    return found


def _endpoint_failures(given: Bag, environment: Mapping[str, str]) -> list[Failure]:
    stated = {f"endpoints.{name}": url for name, url in _stated_endpoints(given).items()}
    stated |= {name: url for name, url in environment.items() if name.startswith(_GENERAL) and url}
    if not stated:
        return [
            Failure(
                "endpoints",
                "no endpoint is set, and the sandbox's AWS stand-in never talks to the real AWS: " + _REMEDY,
            )
        ]
    return [
        Failure(
            name.split(".")[0],
            f"{name} is {url}, which is not a loopback address: the sandbox's AWS stand-in talks to an "
            f"emulator on this machine only; {_REMEDY}, or install the official AWS provider",
        )
        for name, url in stated.items()
        if not is_loopback(url)
    ]


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(given: Bag, environment: Mapping[str, str]) -> Config:
    """The configuration to work with; an error in one line if there is anything wrong with it."""
    wrong = failures(given, environment)
    if wrong:
        raise ProviderError("; ".join(f"aws:{failure.path}: {failure.reason}" for failure in wrong))
    ignored = given.get("ignoreTags") or {}
    return Config(
        region=_region(given, environment),
        endpoint=environment.get(_GENERAL, ""),
        endpoints=_environment_endpoints(environment) | _stated_endpoints(given),
        access_key=given.get("accessKey") or environment.get("AWS_ACCESS_KEY_ID") or "sandbox",
        secret_key=given.get("secretKey") or environment.get("AWS_SECRET_ACCESS_KEY") or "sandbox",
        token=given.get("token") or environment.get("AWS_SESSION_TOKEN", ""),
        path_style=given.get("s3UsePathStyle", True) is not False,
        max_attempts=int(given.get("maxRetries", 5)) + 1,
        default_tags=_default_tags(given),
        ignored_tags=frozenset(ignored.get("keys") or ()),
        ignored_tag_prefixes=tuple(ignored.get("keyPrefixes") or ()),
    )


def _region(given: Bag, environment: Mapping[str, str]) -> str:
    stated = given.get("region")
    if isinstance(stated, str) and stated:
        return stated
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""


def _stated_endpoints(given: Bag) -> dict[str, str]:
    blocks = given.get("endpoints")
    if not isinstance(blocks, list):
        return {}
    return {
        name: url
        for block in blocks
        if isinstance(block, dict)
        for name, url in block.items()
        if isinstance(url, str) and url
    }


def _environment_endpoints(environment: Mapping[str, str]) -> dict[str, str]:
    """`AWS_ENDPOINT_URL_S3` and the like, whose ending is the service id with underscores."""
    prefix = f"{_GENERAL}_"
    names = {"elastic_load_balancing_v2": "elbv2", "cloudwatch_logs": "logs", "auto_scaling": "autoscaling"}
    found = {}
    for name, url in environment.items():
        if name.startswith(prefix) and url:
            service = name.removeprefix(prefix).lower()
            found[names.get(service, service.replace("_", ""))] = url
    return found


def _default_tags(given: Bag) -> dict[str, str]:
    tags = (given.get("defaultTags") or {}).get("tags") or {}
    return {key: value for key, value in tags.items() if value is not UNKNOWN}
