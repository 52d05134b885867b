"""What a run of the audit is given to judge, and what of it could not be read.

Nothing is dropped in silence: what a source holds is a resource, or passed over and counted because it is no
business of the rules, or unread with the reason and what to do about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from policies.resources import Location, Resource

STACK: Final = "stack:"
CLUSTER: Final = "cluster:"
"""What a source begins with that is live, and no file."""
_MEBIBYTE: Final = 2**20


class Kind(StrEnum):
    """What a resource was read from."""

    PULUMI = "Pulumi state"
    TERRAFORM_STATE = "Terraform state"
    TERRAFORM_PLAN = "Terraform plan"
    CLOUDFORMATION = "CloudFormation template"
    SAM = "SAM template"
    SERVERLESS = "Serverless Framework file"
    KUBERNETES = "Kubernetes manifests"
    CLUSTER = "Kubernetes cluster"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. Each bound is there so that a file made to harm costs no more than an honest one."""

    file_bytes: int = 256 * _MEBIBYTE
    """Of one file. A state takes four to six times its size in memory while it is read."""
    depth: int = 200
    """Levels of lists and mappings within each other."""
    aliased_values: int = 1_000_000
    """Values of one YAML document that its aliases stand for."""
    files: int = 100_000
    """Files of one folder, of the kinds that are read."""
    seconds: int = 120
    """For an answer of a program or a cluster."""


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A source or a part of one that could not be read."""

    location: Location
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.location}: {self.why}\n  remedy: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that the sources of a run hold."""

    resources: tuple[Resource, ...]
    unread: tuple[Unread, ...] = ()
    kinds: Mapping[Kind, int] = field(default_factory=lambda: MappingProxyType({}))
    """Resources by what they were read from."""
    files: int = 0
    """Files that something was read from."""
    passed_over: int = 0
    """Files found in folders that hold nothing that can be judged, like the file of a build."""


class SourceError(Exception):
    """A source that a person named and that cannot be read at all."""

    def __init__(self, source: str, why: str, remedy: str) -> None:
        super().__init__(source, why, remedy)
        self.source = source
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.source}: {self.why}\n  remedy: {self.remedy}"
