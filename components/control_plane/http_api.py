"""The serverless front door."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch

from components.base import Component
from components.spec import Duration

# One line of JSON a request; what each field means: the `$context` variables of HTTP APIs.
_ACCESS_LOG: Final = {
    "time": "$context.requestTime",
    "request": "$context.requestId",
    "caller": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_ms": "$context.integrationLatency",
    "integration_error": "$context.integrationErrorMessage",
}


@dataclass(frozen=True)
class HttpApiArgs:
    """How the front door is kept from being overrun."""

    description: str
    rate: int
    """Requests a second that are let in."""
    burst: int
    """Requests at once above that."""
    log_retention: Duration | None
    """None keeps the log for ever."""


class HttpApi(Component):
    """An HTTP API without routes; `HttpRoute` adds them.

    Creates: the API; a log group; the stage `$default`, which deploys by itself, throttles, and logs every
    request as JSON.
    """

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._api = apigatewayv2.Api(
            self.child("http"), protocol_type="HTTP", description=args.description, opts=self.options()
        )
        log = cloudwatch.LogGroup(
            self.child("log"),
            retention_in_days=None if args.log_retention is None else int(args.log_retention.days),
            opts=self.options(),
        )
        apigatewayv2.Stage(
            self.child("stage"),
            name="$default",
            api_id=self._api.id,
            auto_deploy=True,
            access_log_settings={"destination_arn": log.arn, "format": pulumi.Output.json_dumps(_ACCESS_LOG)},
            default_route_settings={
                "throttling_rate_limit": args.rate,
                "throttling_burst_limit": args.burst,
                "detailed_metrics_enabled": True,
            },
            opts=self.options(),
        )
        self.register_outputs({"url": self.url})

    @property
    def id(self) -> pulumi.Output[str]:
        return self._api.id

    @property
    def execution_arn(self) -> pulumi.Output[str]:
        """Prefix of the ARNs that a route calls its functions as."""
        return self._api.execution_arn

    @property
    def url(self) -> pulumi.Output[str]:
        """Address of the stage `$default`, without a slash at its end."""
        return self._api.api_endpoint
