"""One operation on one resource: fills templates in, makes calls, waits.

This is the `Scope` that functions in the table see. It knows the deadline that the program may have set and
whether the engine has asked to stop; nothing here sleeps longer than it must.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.aws.provider.errors import (
    CancelledError,
    DeadlineError,
    MissingError,
    ProviderError,
    RefusedError,
)
from sandbox.aws.provider.plan import REFERENCE, Plan
from sandbox.aws.provider.sdk import ANY
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.shapes import Outbound, put, text_of
from sandbox.aws.provider.table.model import Call, Template, Wait
from sandbox.aws.provider.values import Bag

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_CONSISTENCY_SECONDS = 60.0
# What to send so that a property that was set is not set any more.
_EMPTY: Mapping[str, Any] = {"str": "", "list": [], "map": {}, "object": {}, "bool": False}


@dataclass
class Operation:
    """State of one operation; `facts` are what calls answered that later templates need."""

    plan: Plan
    access: Services
    region: str
    inputs: Bag
    state: Bag = field(default_factory=dict)
    resource_id: str = ""
    facts: Bag = field(default_factory=dict)
    importing: bool = False
    """There is nothing to go by but an id that a person wrote."""
    cancel: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0
    """The program's own limit (customTimeouts); 0: the table's."""
    say: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    # -- what functions of the table may use ---------------------------------------------------------

    @property
    def account(self) -> str:
        return self.access.account

    def get(self, name: str, default: Any = None) -> Any:
        """A property: from the inputs, else from the state."""
        value = self.inputs.get(name)
        value = self.state.get(name) if value is None else value
        return default if value is None else value

    def call(self, operation: str, service: str = "", **members: Any) -> Any:
        """One call of the service, `None` members left out."""
        given = {name: value for name, value in members.items() if value is not None}
        self.stop_if_cancelled()
        return self.access.call(service or self.plan.entry.service, self.region, operation, given)

    def pages(self, operation: str, path: str, service: str = "", **members: Any) -> list[Any]:
        """Every item at `path` over all pages of a listing."""
        given = {name: value for name, value in members.items() if value is not None}
        pages = self.access.pages(service or self.plan.entry.service, self.region, operation, given)
        return [item for page in pages for item in (search(path, page) or [])]

    # -- templates -----------------------------------------------------------------------------------

    def fill(self, template: Template, shape: Shape | None = None) -> Any:
        """The value that a template stands for; None where something it needs is not there."""
        if isinstance(template, str):
            return self._fill_text(template, shape)
        if isinstance(template, Mapping):
            return self._fill_mapping(template, shape)
        if isinstance(template, list):
            member = getattr(shape, "member", None)
            filled = [self.fill(item, member) for item in template]
            return [item for item in filled if item is not None] or None
        if template is None or isinstance(template, int):
            return template
        return template(self)

    def _fill_mapping(self, template: Mapping[str, Any], shape: Shape | None) -> Any:
        members = getattr(shape, "members", {})
        filled = {key: self.fill(inner, members.get(key)) for key, inner in template.items()}
        kept = {key: value for key, value in filled.items() if value is not None}
        return kept or (None if template else {})

    def _fill_text(self, template: str, shape: Shape | None) -> Any:
        whole = REFERENCE.fullmatch(template)
        if whole:
            return self._shaped(whole[1], shape)
        values = {name: self.lookup(name) for name in REFERENCE.findall(template)}
        if any(value is None for value in values.values()):
            return None
        return REFERENCE.sub(lambda match: text_of(values[match[1]]), template)

    def _shaped(self, name: str, shape: Shape | None) -> Any:
        value = self.lookup(name)
        if shape is None or value is None or name in ("tags", "keys"):
            return value
        names = self.plan.entry.names
        return Outbound(names).convert(value, shape, self.plan.kind(name), name, name)

    def lookup(self, name: str) -> Any:
        """What a name in braces stands for."""
        head, _, rest = name.partition(".")
        value = self._named(head)
        for key in filter(None, rest.split(".")):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _named(self, name: str) -> Any:
        if name in self.facts:
            return self.facts[name]
        if name == "account":
            return self.account
        own = {"id": self.resource_id, "region": self.region, "partition": "aws"}
        if name in own:
            return own[name]
        value = self.get(name)
        # While it is being read, what the first answer said counts for the questions that follow.
        return self.facts.get("found", {}).get(name) if value is None else value

    # -- calls of the table --------------------------------------------------------------------------

    def members(self, call: Call, only: str | None = None, *, early: bool = False) -> dict[str, Any]:
        """The members of a call: its properties (or the one named), then its own (`early`: for check)."""
        shape = self.plan.shape(call)
        names = {**self.plan.entry.names, **call.names}
        result: dict[str, Any] = {}
        for name, member in self.plan.sent(call):
            if only is None or name == only:
                self._send(result, shape, names, name, member)
        for member, template in call.args.items():
            if early and member in call.late:
                continue
            value = self.fill(template, shape.members.get(member))
            if value is not None:
                put(result, [member], value)
        return result

    def _send(
        self, result: Bag, shape: StructureShape, names: Mapping[str, str | None], name: str, member: str
    ) -> None:
        value = self.inputs.get(name)
        if value is None:
            value = self._emptied(name)
        if value is None:
            return
        target: Any = shape
        for part in member.split("."):
            target = target.members[part]
        kind = self.plan.signature.inputs.get(name, ANY)
        put(result, member.split("."), Outbound(names).convert(value, target, kind, name, name))

    def _emptied(self, name: str) -> Any:
        """What clears a property that the program dropped."""
        if name not in self.facts.get("dropped", ()):
            return None
        entry = self.plan.entry
        if name in entry.empty:
            return entry.empty[name]
        return _EMPTY.get(self.plan.kind(name).kind)

    def make(self, call: Call, extra: Mapping[str, Any] | None = None, only: str | None = None) -> Any:
        """Make a call of the table: again while it is only a matter of time, then wait as it says."""
        answer = self._until_consistent(call, {**self.members(call, only), **(extra or {})})
        for name, path in call.keep.items():
            self.facts[name] = search(path, answer)
        if call.wait:
            self.wait(call.wait)
        return answer

    def _until_consistent(self, call: Call, members: dict[str, Any]) -> Any:
        name = call.op_for.get(str(self.get(call.op_by)), call.op) if call.op_by else call.op
        deadline = time.monotonic() + min(_CONSISTENCY_SECONDS, self.seconds or _CONSISTENCY_SECONDS)
        pause = _FIRST_PAUSE
        while True:
            try:
                return self.call(name, self.plan.service_of(call), **members)
            except RefusedError as error:
                if error.code in call.accept:
                    return {}
                if not _heals(error, call.retry) or time.monotonic() > deadline:
                    raise
                self.say(f"{call.op}: {error.code}, trying again")
            pause = self.pause(pause)

    # -- waiting -------------------------------------------------------------------------------------

    def wait(self, wait: Wait) -> None:
        """Wait for an eventual state."""
        limit = self.seconds or wait.seconds
        pause = _FIRST_PAUSE
        while True:
            answer = self.call(wait.op, **(self.fill(dict(wait.args)) or {}))
            found = search(wait.path, answer)
            if found in wait.until:
                return
            if found in wait.fail:
                why = search(wait.why, answer) if wait.why else None
                raise ProviderError(f"it went to {found}" + (f": {why}" if why else ""))
            if time.monotonic() - self.started > limit:
                wanted = " or ".join(str(state) for state in wait.until)
                raise DeadlineError(f"it is still {found} after {limit:.0f} s, and should be {wanted}")
            self.say(f"is {found}, waiting")
            pause = self.pause(pause)

    def wait_gone(self, is_there: Callable[[], Any], limit: float) -> None:
        """Wait until reading finds nothing."""
        limit = self.seconds or limit
        pause = _FIRST_PAUSE
        while True:
            try:
                is_there()
            except MissingError:
                return
            if time.monotonic() - self.started > limit:
                raise DeadlineError(f"it is still there {limit:.0f} s after it was deleted")
            pause = self.pause(pause)

    def pause(self, seconds: float) -> float:
        """Pause, or stop at once if the engine asks for it; answers how long to pause next time."""
        self.cancel.wait(seconds)
        self.stop_if_cancelled()
        return min(seconds * 1.6, _LONGEST_PAUSE)

    def stop_if_cancelled(self) -> None:
        """Raise if the engine has asked to stop."""
        if self.cancel.is_set():
            raise CancelledError("stopped, as the engine was asked to cancel")


def _heals(error: RefusedError, patterns: tuple[str, ...]) -> bool:
    for pattern in patterns:
        code, _, part = pattern.partition(": ")
        if error.code == code and part.lower() in error.message.lower():
            return True
    return False


def search(path: str, answer: Any) -> Any:
    """A JMESPath in an answer; the answer itself where there is no path."""
    import jmespath  # noqa: PLC0415  # comes with botocore, and as late

    return jmespath.search(path, answer) if path else answer
