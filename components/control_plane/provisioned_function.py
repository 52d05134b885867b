"""A function of which some copies are always warm: the home `reserved-function`."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import lambda_

from components.control_plane.function import Function, FunctionArgs


@dataclass(frozen=True, kw_only=True)
class ProvisionedFunctionArgs(FunctionArgs):
    """A function, and how many copies of it are kept warm."""

    warm: int


class ProvisionedFunction(Function):
    """A `Function` and provisioned concurrency on its alias.

    Concurrency belongs to a published version and is asked for by alias: `$LATEST` cannot have any.
    """

    def __init__(
        self, name: str, args: ProvisionedFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._warm = args.warm
        super().__init__(name, args, opts)

    def _keep_warm(self) -> None:
        lambda_.ProvisionedConcurrencyConfig(
            self.child("warm"),
            function_name=self._function.name,
            qualifier=self._alias.name,
            provisioned_concurrent_executions=self._warm,
            opts=self.options(),
        )
