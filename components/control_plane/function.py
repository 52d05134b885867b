"""A Lambda function that cannot run away, and an alias for callers that names published versions only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_

from components.base import Component
from components.control_plane.artifacts import Artifacts
from components.control_plane.bundle import Bundle
from components.placement import UNRESERVED, Facts
from components.spec import Duration, Memory

ALIAS: Final = "live"

_ALARMED: Final = {"Errors": "fails", "Throttles": "is throttled"}


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """What a function is and may do."""

    description: str
    bundle: Bundle
    handler: str
    runtime: str = "python3.11"
    memory: Memory
    timeout: Duration
    reserved_concurrency: int | None
    """Copies that may run at once; None takes the limit off."""
    log_retention: Duration | None
    """None keeps the log for ever."""
    alarm: bool
    alarm_topic: pulumi.Input[str]
    """ARN of the topic that hears of alarms."""
    artifacts: Artifacts | None = None
    """Where a bundle goes that is too large to be sent to Lambda directly."""
    env: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    statements: Sequence[Mapping[str, Any]] = ()
    """IAM statements beyond writing its own log."""
    facts: Facts
    """What it was placed by; its tags."""


class Function(Component):
    """One function with its own guardrails.

    Creates: a log group with retention; a role that may write that log and do what `statements` say, nothing
    more; the function, published; the alias `live` of the version just published; an alarm on errors and one
    on throttles.
    """

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._tags = args.facts.to_tags()
        self._log_group = self._create_log_group(args)
        self._role = iam.Role(
            self.child("role"),
            description=args.description,
            assume_role_policy=json.dumps(_ASSUMED_BY_LAMBDA),
            opts=self.options(),
        )
        policy = self._create_policy(args)
        self._function = self._create_function(args, policy)
        self._alias = lambda_.Alias(
            self.child("alias"),
            name=ALIAS,
            description="what callers are sent to",
            function_name=self._function.name,
            function_version=self._function.version,
            opts=self.options(),
        )
        if args.alarm:
            for metric, verb in _ALARMED.items():
                self._create_alarm(args, metric, verb)
        self._keep_warm()
        self.register_outputs({"function_name": self.function_name, "alias_arn": self.alias_arn})

    def _keep_warm(self) -> None:
        """Nothing: an on-demand function starts when it is called."""

    @property
    def function_name(self) -> pulumi.Output[str]:
        return self._function.name

    @property
    def alias_name(self) -> pulumi.Output[str]:
        return self._alias.name

    @property
    def alias_arn(self) -> pulumi.Output[str]:
        return self._alias.arn

    @property
    def invoke_arn(self) -> pulumi.Output[str]:
        """What an API's integration names to call the alias."""
        return self._alias.invoke_arn

    def _create_log_group(self, args: FunctionArgs) -> cloudwatch.LogGroup:
        return cloudwatch.LogGroup(
            self.child("log"),
            retention_in_days=None if args.log_retention is None else int(args.log_retention.days),
            tags=self._tags,
            opts=self.options(),
        )

    def _create_policy(self, args: FunctionArgs) -> iam.RolePolicy:
        write = {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(self._log_group.arn, ":*"),
        }
        document = {"Version": "2012-10-17", "Statement": [write, *args.statements]}
        return iam.RolePolicy(
            self.child("permissions"),
            role=self._role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self.options(),
        )

    def _create_function(self, args: FunctionArgs, policy: iam.RolePolicy) -> lambda_.Function:
        reserved = UNRESERVED if args.reserved_concurrency is None else args.reserved_concurrency
        return lambda_.Function(
            self.child("function"),
            description=args.description,
            role=self._role.arn,
            runtime=args.runtime,
            handler=args.handler,
            architectures=["x86_64"],
            memory_size=args.memory.mib,
            timeout=int(args.timeout.seconds),
            reserved_concurrent_executions=reserved,
            publish=True,
            # A log group named here exists, with its retention, before the first line is written.
            logging_config={"log_format": "JSON", "log_group": self._log_group.name},
            environment={"variables": args.env} if args.env else None,
            source_code_hash=args.bundle.source_code_hash,
            tags=self._tags,
            opts=self.options(depends_on=[policy]),
            **_code(args),
        )

    def _create_alarm(self, args: FunctionArgs, metric: str, verb: str) -> None:
        cloudwatch.MetricAlarm(
            self.child(metric.lower()),
            alarm_description=f"{args.description} {verb}",
            namespace="AWS/Lambda",
            metric_name=metric,
            dimensions={"FunctionName": self._function.name},
            statistic="Sum",
            # Two bad minutes of three: one slow start alone wakes nobody.
            period=60,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
            alarm_actions=[args.alarm_topic],
            ok_actions=[args.alarm_topic],
            tags=self._tags,
            opts=self.options(),
        )


_ASSUMED_BY_LAMBDA: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ],
}


def _code(args: FunctionArgs) -> dict[str, Any]:
    """The code itself, or where it lies."""
    if args.artifacts is None or not args.bundle.goes_through_s3:
        return {"code": pulumi.FileArchive(str(args.bundle.path))}
    stored = args.artifacts.add(args.bundle)
    return {"s3_bucket": stored.bucket, "s3_key": stored.key}
