"""The provider: what each request of the engine means, on plain values.

`server` speaks the protocol; this speaks Python, so that tests and tools can drive it without a wire.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from sandbox.aws.provider import check as checking
from sandbox.aws.provider import config as configuration
from sandbox.aws.provider import lifecycle, reading, table
from sandbox.aws.provider.compare import Change
from sandbox.aws.provider.config import Config
from sandbox.aws.provider.diff import DEFAULTS, Diff, diff
from sandbox.aws.provider.errors import Failure, MissingError, ProviderError
from sandbox.aws.provider.importing import parts_of
from sandbox.aws.provider.ledger import Ledger, digest
from sandbox.aws.provider.naming import Naming, Proposal
from sandbox.aws.provider.operation import Operation
from sandbox.aws.provider.plan import Plan
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.values import UNKNOWN, Bag, has_unknown

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Known:
    """What is known of a resource: by the engine, or by the service. No id: there is none."""

    resource_id: str = ""
    inputs: Bag = field(default_factory=dict)
    state: Bag = field(default_factory=dict)


@cache
def plan_of(token: str) -> Plan:
    """The plan of a type; an error for a type that the table does not have."""
    return Plan(table.find(token))


def token_of(urn: str) -> str:
    """The resource type in a URN (the last of the types of its parents)."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The resource's name in a URN."""
    return urn.split("::", 3)[3]


class Provider:
    """One configured provider."""

    def __init__(
        self,
        ledger_folder: Path,
        say: Say = lambda _urn, _text: None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._folder = ledger_folder
        self._say = say
        self._environment = environment
        self._cancel = threading.Event()
        self._access: Services | None = None

    # -- configuration -------------------------------------------------------------------------------

    def check_config(self, news: Bag) -> list[Failure]:
        """What is wrong with the provider's own inputs."""
        return configuration.failures(configuration.plain(news), self._environment)

    def configure(self, given: Bag) -> None:
        """Take the configuration; from here on there are clients."""
        self._access = Services(configuration.resolve(configuration.plain(given), self._environment))

    @property
    def access(self) -> Services:
        """The clients; an error before `configure`."""
        if self._access is None:
            raise ProviderError("the provider has not been configured")
        return self._access

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.access.config

    @property
    def ledger(self) -> Ledger:
        """The creates of this emulator under this backend."""
        backend = self._environment.get("PULUMI_BACKEND_URL", "")
        return Ledger(
            self._folder, f"{backend} {self.config.endpoint} {sorted(self.config.endpoints.items())}"
        )

    def cancel(self) -> None:
        """Stop waiting, everywhere, and start nothing new."""
        self._cancel.set()

    # -- resources -----------------------------------------------------------------------------------

    def check(
        self, urn: str, news: Bag, olds: Bag, seed: bytes = b"", proposal: Proposal | None = None
    ) -> tuple[Bag, list[Failure]]:
        """Inputs filled in, and what is wrong with them."""
        plan = plan_of(token_of(urn))
        if olds:
            self.ledger.engine_knows(urn, digest(olds))
        interrupted = "" if olds else self.ledger.name_of_interrupted(urn)
        naming = Naming(name_of(urn), seed, proposal or Proposal(), interrupted)
        return checking.check(plan, self.config, naming, news, olds)

    def diff(self, urn: str, known: Known, news: Bag) -> Diff:
        """What an update would do."""
        plan = plan_of(token_of(urn))
        self.ledger.engine_knows_id(urn, known.resource_id)
        found = diff(plan.entry, known.inputs, known.state, news)
        return self._with_region(plan, found, known.state, news)

    def _with_region(self, plan: Plan, found: Diff, old_state: Bag, news: Bag) -> Diff:
        """A resource that names no region lives in the provider's, and cannot move."""
        if "region" not in plan.signature.outputs or news.get("region") is not None:
            return found
        if old_state.get("region", self.config.region) == self.config.region:
            return found
        moved = Change("region", "region", "update")
        return replace(found, changes=(*found.changes, moved), replacing=found.replacing | {"region"})

    def preview_create(self, urn: str, news: Bag) -> Bag:
        """What is known of a resource before it is made."""
        plan = plan_of(token_of(urn))
        entry = plan.entry
        state = {name: value for name, value in news.items() if name != DEFAULTS}
        for name in plan.signature.outputs:
            if name not in state and (name not in plan.signature.inputs or name in entry.computed):
                state[name] = UNKNOWN
        for path in entry.computed:
            _unknown_below(state, path)
        return self._known_anyway(plan, state, news)

    def _known_anyway(self, plan: Plan, state: Bag, news: Bag) -> Bag:
        if plan.entry.tags and not has_unknown(news.get("tags")):
            state["tagsAll"] = news.get("tags") or {}
        if "region" in plan.signature.outputs:
            state["region"] = news.get("region") or self.config.region
        return state

    def create(self, urn: str, news: Bag, seconds: float = 0) -> Known:
        """Make the resource."""
        operation = self._operation(urn, news, Known(), seconds)
        rule = operation.plan.entry.autoname
        if rule and rule.prop in news.get(DEFAULTS, ()):
            operation.facts["made up"] = news[rule.prop]
        state = lifecycle.create(operation, self.ledger, urn)
        return Known(operation.resource_id, news, state)

    def read(self, urn: str, known: Known) -> Known:
        """What there is now (no id: nothing); on import there is nothing but the id to go by."""
        if not known.state:
            return self._import(urn, known)
        self.ledger.engine_knows_id(urn, known.resource_id)
        operation = self._operation(urn, known.inputs, known, 0)
        try:
            state = reading.read(operation)
        except MissingError:
            return Known()
        inputs = reading.inputs_after_refresh(operation.plan, known.inputs, state)
        return Known(known.resource_id, inputs, state)

    def _import(self, urn: str, known: Known) -> Known:
        entry = plan_of(token_of(urn)).entry
        parts = parts_of(entry, known.resource_id)
        own_id = parts.pop("id", known.resource_id)
        operation = self._operation(urn, {}, Known(own_id, {}, parts), 0)
        operation.importing = True
        try:
            state = reading.read(operation)
        except MissingError:
            return Known()
        resource_id = reading.found_id(operation)
        return Known(resource_id, reading.inputs_of_import(operation.plan, state), state)

    def preview_update(self, urn: str, known: Known, news: Bag) -> Bag:
        """What will be known of a resource after an update."""
        plan = plan_of(token_of(urn))
        changed = diff(plan.entry, known.inputs, known.state, news).properties
        kept = {name: value for name, value in known.state.items() if name not in changed}
        state = {**kept, **{name: value for name, value in news.items() if name != DEFAULTS}}
        for name, causes in plan.entry.volatile.items():
            if not causes or set(causes) & set(changed):
                state[name] = UNKNOWN
        return self._known_anyway(plan, state, news)

    def update(self, urn: str, known: Known, news: Bag, seconds: float = 0) -> Bag:
        """Change the resource in place."""
        operation = self._operation(urn, news, known, seconds)
        self.ledger.engine_knows_id(urn, known.resource_id)
        try:
            return lifecycle.update(operation, known.inputs, known.state)
        except MissingError as error:
            raise ProviderError(
                f"{error}: it was deleted elsewhere; `pulumi refresh` takes note of that"
            ) from error

    def delete(self, urn: str, known: Known, seconds: float = 0) -> None:
        """Delete the resource."""
        lifecycle.delete(self._operation(urn, known.inputs, known, seconds))
        self.ledger.forget(urn, known.resource_id)

    @staticmethod
    def secret_outputs(urn: str) -> tuple[str, ...]:
        """Outputs of the type that are secret whatever the program says."""
        return plan_of(token_of(urn)).entry.secret

    def _operation(self, urn: str, inputs: Bag, known: Known, seconds: float) -> Operation:
        region = known.state.get("region") or inputs.get("region") or self.config.region
        return Operation(
            plan=plan_of(token_of(urn)),
            access=self.access,
            region=region,
            inputs={k: v for k, v in inputs.items() if k != DEFAULTS},
            state=dict(known.state),
            resource_id=known.resource_id,
            cancel=self._cancel,
            seconds=seconds,
            say=lambda text: self._say(urn, text),
        )


def _unknown_below(state: Bag, path: str) -> None:
    """Mark a nested property that the service decides, where its parent is given and it is not."""
    head, _, rest = path.partition(".")
    if not rest:
        state.setdefault(head, UNKNOWN)
    elif isinstance(state.get(head), dict):
        state[head] = dict(state[head])
        _unknown_below(state[head], rest)
