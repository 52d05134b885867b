"""What can go wrong, in the words the engine shows.

Nothing here carries a stack trace to the user: a mistake in a program becomes a `Failure` of `check`
(so it is found in preview), everything a service refuses becomes a one-line `ProviderError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Failure:
    """A property that cannot be as it is. `path` is the property as the program wrote it, camel-cased."""

    path: str
    reason: str


class ProviderError(Exception):
    """An operation that failed; the message is one line and says what to do where that is known."""


class CancelledError(ProviderError):
    """The engine asked to stop while a resource was being waited for."""


class DeadlineError(ProviderError):
    """A resource did not reach the state it was waited for in time."""


class MissingError(Exception):
    """The service no longer has the resource."""


class RefusedError(ProviderError):
    """A service said no: keeps the error code, so that callers can tell "already there" from the rest.

    `retried` says that an earlier attempt got no answer, so that the service may have done it all the same.
    """

    def __init__(self, operation: str, code: str, message: str, *, retried: bool = False) -> None:
        super().__init__(f"{operation} refused with {code}: {' '.join(message.split())}")
        self.operation = operation
        self.code = code
        self.message = message
        self.retried = retried

    def explained(self, more: str) -> RefusedError:
        """The same with a sentence of ours after the service's own."""
        return RefusedError(self.operation, self.code, f"{self.message} {more}", retried=self.retried)


@dataclass
class HalfDoneError(Exception):
    """The resource exists but is not all it should be: the engine must remember its id all the same."""

    resource_id: str
    state: dict[str, Any]
    inputs: dict[str, Any]
    reason: str = field(default="")

    def __str__(self) -> str:
        return self.reason
