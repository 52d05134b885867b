"""What every topology has: front door, control function, registry, and the guardrails around them."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pulumi

from components.base import Component, Transform
from components.control_plane.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.control_plane.artifacts import Artifacts, ArtifactsArgs
from components.control_plane.budget import Budget, BudgetArgs
from components.control_plane.bundle import Bundle
from components.control_plane.function import Function, FunctionArgs
from components.control_plane.http_api import HttpApi, HttpApiArgs
from components.control_plane.http_route import HttpRoute, HttpRouteArgs, Target, ToFunction
from components.control_plane.provisioned_function import ProvisionedFunction, ProvisionedFunctionArgs
from components.control_plane.registry import Entry, Registry, RegistryArgs, described
from components.naming import part
from components.placement import Facts, Home, Placement, Placements
from components.placement.bounds import bounds_of, throttle, warm_copies
from components.spec import FunctionServe, Problem, Stack, StackError, Workload
from components.topology.outputs import Outputs

Package: TypeAlias = Callable[[str, str], Bundle]
"""(folder, runtime) → the folder's bundle."""

CONTROL_CODE: Final = "components/control_plane/code"
_CONTROL_HANDLER: Final = "control.app.handler"
_CONTROL_RUNTIME: Final = "python3.11"
_CONTROL_ROUTES: Final = ("/health", "/models", "/models/{name}")


@dataclass(frozen=True, kw_only=True)
class TopologyArgs:
    """What is deployed, and where each workload goes."""

    stack: Stack
    placements: Placements
    stack_name: str
    bundles: Mapping[tuple[str, str], Bundle]
    """By folder and runtime, all that the stack's functions are made of."""
    tags: Mapping[str, str]
    """Whose everything is. The provider puts them on resources, but on nothing inside of one."""
    transform: Transform | None = None


def bundles_of(stack: Stack, placements: Placements, package: Package) -> dict[tuple[str, str], Bundle]:
    """Bundles of every function that will be made, packaged before the first resource is.

    Raises StackError for all that cannot be packaged.
    """
    made = {(CONTROL_CODE, _CONTROL_RUNTIME): package(CONTROL_CODE, _CONTROL_RUNTIME)}
    problems: list[Problem] = []
    for index, workload in enumerate(stack.workloads):
        serve, placed = workload.serve.function, placements.by_name[workload.name]
        if serve is None or not (placed.home.is_function or placed.twin is not None):
            continue
        if (serve.bundle, serve.runtime) in made:
            continue
        try:
            made[serve.bundle, serve.runtime] = package(serve.bundle, serve.runtime)
        except StackError as error:
            problems += [
                replace(problem, path=f"workloads[{index}].{problem.path}", subject=workload.name)
                for problem in error.problems
            ]
    if problems:
        raise StackError(problems)
    return made


class Topology(Component):
    """Base of the three topologies.

    Creates: an alarm topic; a budget, if the stack names one; an HTTP API; what the topology serves its
    workloads by; the registry of them; the control function and its routes.
    """

    topology: str

    def __init__(self, name: str, args: TopologyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts, args.transform)
        self._args = args
        self._stack = args.stack
        self._artifacts: Artifacts | None = None
        self._alarms = self._create_guardrails()
        self._api = self._create_api()
        entries = self._serve()
        registry = self._create_registry(entries)
        self._create_control(registry)
        self.outputs = Outputs(
            topology=self.topology,
            url=self._api.url,
            control_routes=[pulumi.Output.concat(self._api.url, path) for path in _CONTROL_ROUTES],
            models=[described(entry.placement) | {"url": entry.url, "path": entry.path} for entry in entries],
            registry_table=registry.table_name,
            **self._data_plane_outputs(),
        )
        self.register_outputs({"url": self._api.url})

    @abstractmethod
    def _serve(self) -> list[Entry]:
        """Make what the workloads run on, and say where each is reached."""

    def _data_plane_outputs(self) -> dict[str, Any]:
        return {}

    def _placements(self) -> list[Placement]:
        """In the order of the stack file."""
        return [self._args.placements.by_name[workload.name] for workload in self._stack.workloads]

    def _create_guardrails(self) -> AlarmTopic:
        budget = self._stack.control_plane.budget
        if budget is not None:
            Budget(self.child("budget"), BudgetArgs(budget.limit, budget.notify), self.options())
        emails = budget.notify if budget is not None else ()
        return AlarmTopic(self.child("alarms"), AlarmTopicArgs(emails), self.options())

    def _create_api(self) -> HttpApi:
        return self._create_api_of("api", f"halfmetal {self._args.stack_name}", self._stack.workloads)

    def _create_api_of(self, suffix: str, description: str, workloads: tuple[Workload, ...]) -> HttpApi:
        rate = throttle(workloads)
        return HttpApi(
            self.child(suffix),
            HttpApiArgs(
                description=description,
                rate=rate,
                burst=rate,
                log_retention=self._stack.control_plane.guardrails.log_retention,
            ),
            self.options(),
        )

    def _create_registry(self, entries: list[Entry]) -> Registry:
        return Registry(self.child("registry"), RegistryArgs(self.topology, entries), self.options())

    def _create_control(self, registry: Registry) -> None:
        control, bounds = self._stack.control_plane, bounds_of(self._stack)
        function = Function(
            self.child("control"),
            FunctionArgs(
                description=f"control function of {self._args.stack_name}",
                bundle=self._args.bundles[CONTROL_CODE, _CONTROL_RUNTIME],
                handler=_CONTROL_HANDLER,
                runtime=_CONTROL_RUNTIME,
                memory=control.memory,
                timeout=control.timeout,
                reserved_concurrency=bounds.reserved_concurrency,
                log_retention=bounds.log_retention,
                alarm=bounds.alarm,
                alarm_topic=self._alarms.arn,
                env={
                    "REGISTRY_TABLE": registry.table_name,
                    "STACK": self._args.stack_name,
                    "TOPOLOGY": self.topology,
                },
                statements=[_may_read(registry)],
                facts=self._args.placements.control_plane,
            ),
            self.options(),
        )
        keys = tuple(f"GET {path}" for path in _CONTROL_ROUTES)
        self._create_route("control-routes", keys, ToFunction(function))

    def _serve_by_function(self, placement: Placement) -> Entry:
        """A workload on a function, behind the API."""
        target = ToFunction(self._create_function(placement, placement.facts))
        return self._behind_api(placement, target, "API Gateway, function")

    def _behind_api(self, placement: Placement, target: Target, path: str) -> Entry:
        name = placement.workload.name
        self._create_route(f"route-{part(name)}", model_routes(name), target)
        return Entry(placement, pulumi.Output.concat(self._api.url, f"/v2/models/{name}"), path)

    def _create_route(self, suffix: str, keys: tuple[str, ...], target: Target) -> None:
        HttpRoute(self.child(suffix), HttpRouteArgs(self._api, keys, target), self.options())

    def _create_function(self, placement: Placement, facts: Facts) -> Function:
        """The workload as a function, its home or its twin: `facts` are the function's."""
        workload = placement.workload
        serve = workload.serve.function
        if serve is None:  # placement puts nothing on a function that has no function form
            raise TypeError(f"workload {workload.name} has no function form")
        name = self.child(f"fn-{part(workload.name)}")
        args = self._function_args(workload, serve, facts)
        if placement.home is Home.RESERVED_FUNCTION:
            kept = warm_copies(workload)
            return ProvisionedFunction(name, ProvisionedFunctionArgs(**vars(args), warm=kept), self.options())
        return Function(name, args, self.options())

    def _function_args(self, workload: Workload, serve: FunctionServe, facts: Facts) -> FunctionArgs:
        """The function as the stack file has it; what it does not say is as the guardrails have it."""
        bounds = bounds_of(self._stack, serve)
        bundle = self._args.bundles[serve.bundle, serve.runtime]
        return FunctionArgs(
            description=f"workload {workload.name} of {self._args.stack_name}",
            bundle=bundle,
            handler=serve.handler,
            runtime=serve.runtime,
            memory=serve.memory,
            timeout=serve.timeout,
            reserved_concurrency=bounds.reserved_concurrency,
            log_retention=bounds.log_retention,
            alarm=bounds.alarm,
            alarm_topic=self._alarms.arn,
            artifacts=self._artifacts_for(bundle),
            env={"MODEL_NAME": workload.name, **serve.env},
            facts=facts,
        )

    def _artifacts_for(self, bundle: Bundle) -> Artifacts | None:
        """The bucket for large bundles, made when there is the first one."""
        if bundle.goes_through_s3 and self._artifacts is None:
            self._artifacts = Artifacts(self.child("artifacts"), ArtifactsArgs(), self.options())
        return self._artifacts


def model_routes(name: str) -> tuple[str, ...]:
    """The routes of a workload, on the API that clients call and on the one before its twin alike."""
    return f"ANY /v2/models/{name}", f"ANY /v2/models/{name}/{{proxy+}}"


def _may_read(registry: Registry) -> dict[str, Any]:
    return {
        "Sid": "ReadRegistry",
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:Scan"],
        "Resource": registry.table_arn,
    }
