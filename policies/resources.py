"""A resource, whatever it was read from.

The policy pack, a state, a plan, a template and a manifest all come down to this: a type in the words of the
Pulumi provider that would make it, a bag of properties under that provider's names, and what it was computed
from. A value that cannot be known, or that is secret, is UNKNOWN in the bag.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Dialect(Enum):
    """In whose words a resource is written down where it stands, to be told in the same."""

    PULUMI = auto()
    """Also an object of Kubernetes, for which Pulumi has no names of its own."""
    TERRAFORM = auto()
    CLOUDFORMATION = auto()
    SERVERLESS = auto()
    """The Serverless Framework's own, and not the CloudFormation that a file of it may hold."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where a resource stands in its source. Lines and columns count from 1; None where there are none."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        numbers = (number for number in (self.line, self.column) if number is not None)
        return ":".join([self.file, *map(str, numbers)])


@dataclass(slots=True, eq=False)
class Resource:
    """One resource. Two are the same only if they are one object: the graph between them may have cycles."""

    resource_type: str
    """Pulumi's type token, like `aws:lambda/function:Function`."""
    name: str
    """What a person calls it: `embed`, `aws_lambda_function.embed`, `models/chat`."""
    urn: str
    """Its address, of which there is one in a run."""
    props: Mapping[str, Any] = field(repr=False)
    dependencies: list["Resource"] = field(default_factory=list, repr=False)
    """What must exist before it."""
    property_dependencies: dict[str, list["Resource"]] = field(default_factory=dict, repr=False)
    """What each of its properties was computed from."""
    location: Location | None = None
    dialect: Dialect = Dialect.PULUMI
    """Set by who reads it: no name of a file, and none of the resource, tells it."""
