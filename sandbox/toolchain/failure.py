"""A command that failed, in words that a person can act on.

The same few causes stand behind most failures of a compiler, a package manager or a download; each is known
by what the command says at its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.toolchain import space
from sandbox.toolchain.children import CommandFailedError
from sandbox.toolchain.errors import ToolchainError

_SHOWN_LINES = 20
_NETWORK = (
    r"dial tcp|no such host|i/o timeout|connection (?:refused|reset)|TLS handshake|proxyconnect|bad gateway"
    r"|unexpected EOF|error sending request|Could not (?:connect|resolve)|Temporary failure resolving"
)
_FULL = r"(?i)no space left on device|disk quota exceeded|os error 28"
_REMEDIES = (
    (
        r"requires go >= |toolchain not available",
        "install the Go version named below (go.dev/dl), or let go fetch it: GOTOOLCHAIN=auto",
    ),
    (r"signal: killed|out of memory", "the compiler ran out of memory: close something and run it again"),
    (
        r"checksum mismatch|SECURITY ERROR",
        "what was downloaded is not what go.sum promises: see `go help module-auth`, and trust neither yet",
    ),
    (_NETWORK, "check the network (and GOPROXY, for Go modules), then run the same command again"),
)


def is_of_the_network(error: CommandFailedError) -> bool:
    """Did it fail for a reason that may be gone a moment later?"""
    return re.search(_NETWORK, error.text) is not None


def explain(
    what: str, error: CommandFailedError, *, otherwise: str, writes_to: Sequence[Path]
) -> ToolchainError:
    """The error to raise: `what` failed, the remedy that the output calls for or `otherwise`, and its end.

    `writes_to` are the directories that the command fills, of which a full disk is one.
    """
    detail = "\n".join(f"    {line}" for line in error.tail[-_SHOWN_LINES:])
    if re.search(_FULL, error.text):
        full = space.full(min(writes_to, key=space.free_bytes))
        return ToolchainError(f"{what}: {full.what}", full.remedy, detail=detail)
    remedy = next((text for pattern, text in _REMEDIES if re.search(pattern, error.text)), otherwise)
    return ToolchainError(f"{what}: {error}", remedy, detail=detail)
