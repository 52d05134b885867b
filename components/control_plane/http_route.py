"""Routes of an HTTP API to one target: a function, something in the VPC, or an address."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pulumi
from pulumi_aws import apigatewayv2, lambda_

from components.base import Component
from components.control_plane.function import Function
from components.control_plane.http_api import HttpApi
from components.naming import slug

# The longest that an HTTP API waits for an integration, which no setting lengthens (API Gateway quotas).
_TIMEOUT_MS: Final = 30_000


@dataclass(frozen=True)
class ToFunction:
    """Calls a function's alias."""

    function: Function


@dataclass(frozen=True)
class ToVpc:
    """Sends the request on, path and all, to a load balancer's listener inside the VPC."""

    vpc_link_id: pulumi.Input[str]
    listener_arn: pulumi.Input[str]


@dataclass(frozen=True)
class ToAddress:
    """Sends the request on to an address on the internet, which answers under the same path."""

    url: pulumi.Input[str]


Target: TypeAlias = ToFunction | ToVpc | ToAddress


@dataclass(frozen=True)
class HttpRouteArgs:
    """Which requests go where."""

    api: HttpApi
    keys: tuple[str, ...]
    """Method and path of each route, like `GET /models/{name}`."""
    target: Target


class HttpRoute(Component):
    """Some routes of an HTTP API, and their target.

    Creates: an integration (one a path, if the target's address must be told the path); a route for each key;
    if the target is a function, a permission for each route to call its alias, and for no other route.
    """

    def __init__(self, name: str, args: HttpRouteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._ways: list[pulumi.Resource] = []
        shared = None if isinstance(args.target, ToAddress) else self._create_integration("to", args, "")
        for key in args.keys:
            integration = shared or self._create_integration(f"to-{slug(key)}", args, key)
            made = apigatewayv2.Route(
                self.child(slug(key)),
                api_id=args.api.id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", integration.id),
                opts=self.options(),
            )
            self._ways.append(made)
            if isinstance(args.target, ToFunction):
                self._ways.append(self._create_permission(key, args.api, args.target.function))
        self.register_outputs({})

    @property
    def ways(self) -> list[pulumi.Resource]:
        """What must be there before a request reaches the target: routes, and permissions to call it."""
        return self._ways

    def _create_integration(self, suffix: str, args: HttpRouteArgs, key: str) -> apigatewayv2.Integration:
        return apigatewayv2.Integration(
            self.child(suffix),
            api_id=args.api.id,
            timeout_milliseconds=_TIMEOUT_MS,
            opts=self.options(),
            **_integration(args.target, key),
        )

    def _create_permission(self, key: str, api: HttpApi, function: Function) -> lambda_.Permission:
        method, path = key.split(" ", 1)
        return lambda_.Permission(
            self.child(f"may-{slug(key)}"),
            action="lambda:InvokeFunction",
            function=function.function_name,
            qualifier=function.alias_name,
            principal="apigateway.amazonaws.com",
            # The stage is any: there is one, and its name `$default` has no place in a pattern.
            source_arn=pulumi.Output.concat(
                api.execution_arn, "/*/", "*" if method == "ANY" else method, path
            ),
            opts=self.options(),
        )


def _integration(target: Target, key: str) -> dict[str, Any]:
    match target:
        case ToFunction(function):
            return {
                "integration_type": "AWS_PROXY",
                "integration_uri": function.invoke_arn,
                "payload_format_version": "2.0",
            }
        case ToVpc(vpc_link_id, listener_arn):
            return {
                "integration_type": "HTTP_PROXY",
                "integration_method": "ANY",
                "integration_uri": listener_arn,
                "connection_type": "VPC_LINK",
                "connection_id": vpc_link_id,
                "payload_format_version": "1.0",
            }
        case ToAddress(url):
            # API Gateway fills `{proxy}` in from the route's `{proxy+}`.
            path = key.split(" ", 1)[1].replace("{proxy+}", "{proxy}")
            return {
                "integration_type": "HTTP_PROXY",
                "integration_method": "ANY",
                "integration_uri": pulumi.Output.concat(url, path),
                "payload_format_version": "1.0",
            }
