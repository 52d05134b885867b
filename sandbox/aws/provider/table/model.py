"""The words in which the table describes a resource type.

One `Entry` per type. Everything that follows a rule is left to the rule: a property goes to the member of
the call that has its name (case and a plural `s` aside) and comes back from the member of the answer that
has its name, nested objects included. The entry states what no rule can know.

**Templates.** Wherever a call needs a value, the table writes `"{vpcId}"`: the property of that name, typed
as it is; `"{id}"` is the resource's id, `"{region}"`, `"{account}"` and `"{partition}"` are the provider's.
Text around the braces makes a string: `"arn:{partition}:sns:{region}:{account}:{name}"`. A value that is
not there drops its member. A dict or list is filled in depth; a function is called with the `Scope`.

**Paths.** `"healthCheck.port"` is a nested property; positions in lists are left out. In answers a path is
a JMESPath expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.values import Bag


class Scope(Protocol):
    """What a function in the table may see and do: one operation on one resource."""

    resource_id: str
    inputs: Bag
    """What the program asks for now (on delete: what it asked for last)."""
    state: Bag
    """What was last known of the resource."""
    region: str

    @property
    def account(self) -> str: ...

    def get(self, name: str, default: Any = None) -> Any:
        """A property: from the inputs, else from the state."""

    def lookup(self, name: str) -> Any:
        """What `{name}` would stand for in a template."""

    def call(self, operation: str, service: str = "", **members: Any) -> Any:
        """Call the service (the entry's own unless another is named), with retries; errors are one line."""

    def wait(self, wait: Wait) -> None:
        """Wait for an eventual state."""

    def pages(self, operation: str, path: str, service: str = "", **members: Any) -> list[Any]:
        """Every item at `path` over all pages of a listing."""


Compute = Callable[[Scope], Any]
Template = str | int | bool | Compute | Mapping[str, Any] | list[Any] | None
Names = Mapping[str, str | None]
Moment = Literal["both", "create", "update"]


class _Unsaid:
    """What a function of `Read.into` answers when the service says nothing about an output."""


UNSAID = _Unsaid()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the service.

    It carries the properties it has members for (`send` narrows that down, `skip` takes some out) and the
    members of `args`. After a create, and on an update, it is made when a property it carries is set or has
    changed; `when` names other triggers. `unset` is made instead when none of them is set any more.
    """

    op: str
    op_by: str = ""
    """A property that decides between operations of the same members: `op_for` its value, else `op`."""
    op_for: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, Template] = field(default_factory=dict)
    send: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    """Properties that functions in `args` read."""
    late: tuple[str, ...] = ()
    """Members that are worth computing only for the call itself (they read whole files): not for check."""
    names: Names = field(default_factory=dict)
    when: tuple[str, ...] = ()
    on: Moment = "both"
    only_changed: bool = False
    """Send only what changed, one call per property: for operations that take one attribute at a time."""
    unset: Call | None = None
    keep: Mapping[str, str] = field(default_factory=dict)
    """Facts of the answer that later templates use: name to path."""
    accept: tuple[str, ...] = ()
    """Error codes that mean the work is done already."""
    retry: tuple[str, ...] = ()
    """`Code` or `Code: part of message` that time heals, e.g. a role that is not known everywhere yet."""
    service: str = ""
    wait: Wait | None = None


@dataclass(frozen=True, kw_only=True)
class Each:
    """One call per element that a list or map property gained, and one per element that it lost.

    The calls' templates name the element `{item}` and its fields `{item.cidrBlock}`; the element of a map
    is `{item.key}` and `{item.value}`.
    """

    prop: str
    add: Call
    remove: Call
    on: Moment = "both"


@dataclass(frozen=True, kw_only=True)
class Do:
    """A function, where calls alone cannot say it. `uses` are the properties it reads and is triggered by."""

    run: Compute
    uses: tuple[str, ...] = ()
    on: Moment = "both"
    always: bool = False


Step = Call | Each | Do


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Ask until the answer at `path` is one of `until`; one of `fail` ends the operation with `why`."""

    op: str
    args: Mapping[str, Template] = field(default_factory=dict)
    path: str
    until: tuple[str | bool | None, ...]
    fail: tuple[str, ...] = ()
    why: str = ""
    seconds: float = 600


@dataclass(frozen=True, kw_only=True)
class Read:
    """One question about the resource. The first of an entry decides whether it exists at all.

    `at` is the path of the resource in the answer (its `{…}` are filled in; a function gets the answer and
    the scope), whose members become outputs by name; `into` states outputs that have another name, as paths
    in what lies at `at`, or as functions of it. A path that starts with `$.` begins at the answer itself.
    """

    op: str
    args: Mapping[str, Template] = field(default_factory=dict)
    at: str | Callable[[Any, Scope], Any] = ""
    only: tuple[str, ...] | None = None
    """Outputs taken by name; all that have a member when not stated."""
    into: Mapping[str, str | Callable[[Any], Any]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    """Error codes that mean this part is not set."""
    when: tuple[str, ...] = ()
    """Ask only when one of these properties is set (or nothing is known yet, on import)."""
    service: str = ""


@dataclass(frozen=True, kw_only=True)
class Find:
    """How to recognise a resource that was made by a create whose answer was lost.

    Resources that carry a name are read by it. The others are listed (`items` at a path of the answer,
    `resource_id` a path in each) before the create and after the loss: one that is new, has every value of
    `match` and is not on the ledger under another resource is the one. `match` maps paths in the item to
    templates.
    """

    op: str
    args: Mapping[str, Template] = field(default_factory=dict)
    items: str
    resource_id: str
    match: Mapping[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tags:
    """How a service tags: where tags go at creation, where they are read, the calls that change them."""

    create: Callable[[Mapping[str, str]], Mapping[str, Any]] | None
    """Members of the create call for these tags; None when tags are set by a call of their own."""
    read: str | None
    """Path of the tags in the first read; None when `read_call` asks for them."""
    change: Call
    """Sets tags: `{tags}` as the service writes them."""
    remove: Call
    """Removes tags: `{keys}`."""
    read_call: Read | None = None
    style: Literal["map", "Key", "key", "TagKey"] = "map"
    """`map`: a mapping; otherwise a list of pairs with that key member."""
    whole: bool = False
    """Tags are only ever set all together: `change` replaces them, `remove` leaves none."""
    remove_singly: bool = False
    """One call per key, for an emulator that reads only one."""
    remove_pairs: bool = False
    """Keys to remove are written as `{"Key": …}`, not as plain text."""


@dataclass(frozen=True)
class Autoname:
    """How a resource that was given no name gets one: its Pulumi name and a random suffix."""

    prop: str = "name"
    longest: int = 255
    separator: str = "-"
    lower: bool = False
    prefix_prop: str | None = None
    prefix: str = ""
    """What every name of the type begins with."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Everything there is to know about a resource type."""

    token: str
    service: str
    """The service as botocore calls it."""
    id: Template
    """The id, from the properties and the facts that `create` keeps."""
    create: Call
    then: tuple[Step, ...] = ()
    """What else makes or changes it, in order; each step when a property of its own is set or changed."""
    read: tuple[Read, ...]
    delete: tuple[Step, ...]
    import_id: str = "{id}"
    """How an id given to `pulumi import` is read, e.g. `{apiId}/{id}`; empty: it cannot be imported."""
    found_id: str = ""
    """Path of the id in the first read, where an import is found by other things than its id."""
    names: Names = field(default_factory=dict)
    """Property path to member name where they differ; None: never sent."""
    tags: Tags | None = None
    replace: tuple[str, ...] = ()
    """What cannot change in place."""
    identity: tuple[str, ...] = ()
    """Properties that name it within the account: two that agree on all of them cannot exist together."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    """Inputs that the service (or the account) decides when the program does not."""
    local: tuple[str, ...] = ()
    """Inputs that no call carries: they steer the provider itself."""
    refused: tuple[str, ...] = ()
    """Inputs that calls would carry and nothing here looks after: check says that they are not handled."""
    write_only: tuple[str, ...] = ()
    """Inputs that the service takes and never shows: kept as given, drift in them cannot be seen."""
    unordered: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    """JSON texts: valid in check, compared by content."""
    policies: tuple[str, ...] = ()
    """JSON texts that are IAM policies: compared by meaning."""
    secret: tuple[str, ...] = ()
    empty: Mapping[str, Any] = field(default_factory=dict)
    """What to send for a property that was removed, where it is not the empty value of its type."""
    volatile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Outputs that an update of these properties changes; an empty tuple: any update."""
    derive: Mapping[str, Template] = field(default_factory=dict)
    """Outputs that no answer holds."""
    missing: tuple[str, ...] = ()
    """Error codes that mean: not there."""
    exists: tuple[str, ...] = ()
    """Error codes of create that mean: already there."""
    find: Find | None = None
    recover_id: Template = None
    """The id that a create with a lost answer must have had, where `id` needs facts of the answer."""
    autoname: Autoname | None = None
    ready: Wait | None = None
    """What to wait for after create and update."""
    gone: float = 0
    """Seconds to wait, after delete, until it cannot be read any more; 0: it is gone at once."""
    replace_if: Callable[[Bag, Bag], Iterable[str]] | None = None
    """Properties that force a replacement only for some values: old state, new inputs."""
    delete_before_replace: bool = False
    rules: Callable[[Bag], Iterable[Failure]] | None = None
    """What the signature cannot say: exactly one of two properties, and the like."""
    normalise: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Property to the function that brings what means the same into the same form, before comparing."""
    remains: str = ""
    """What the service keeps after a delete, where it cannot be otherwise."""
    emulator_gaps: Mapping[str, str] = field(default_factory=dict)
    """Properties that the emulator does not keep, and what it does: drift in them is not looked for."""
