"""Ports and loopback networks that nobody else is using.

A port is chosen below the range that the kernel hands out to outgoing connections, so that it stays free
while the sandbox is stopped. The search starts at a place derived from the clone's own path: two clones, or
two users of one machine, seldom even look at the same numbers, and the same clone finds its old ones again.
"""

import hashlib
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

FIRST_PORT, LAST_PORT = 20000, 29999
FIRST_OCTET, LAST_OCTET = 2, 254
LOOPBACK_NETWORK = 127
_KERNEL_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/udp"))


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; unknown when it belongs to another user."""

    pid: int | None
    name: str

    def __str__(self) -> str:
        """The holder as a person would look it up."""
        return f"process {self.pid} ({self.name})" if self.pid else self.name


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether both a TCP listener and a UDP socket could be bound there now."""
    return all(_binds(kind, address, port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))


def _binds(kind: socket.SocketKind, address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # Connections in TIME_WAIT are no holder: the server that comes will reuse the address as well.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def holder(port: int) -> Holder | None:
    """Who listens on a loopback port, as far as this user may know; None when nobody does."""
    for connection in psutil.net_connections(kind="inet"):
        local = connection.laddr
        if not local or local.port != port or connection.status not in (psutil.CONN_LISTEN, psutil.CONN_NONE):
            continue
        if connection.pid is None:
            return Holder(None, "a process of another user")
        try:
            return Holder(connection.pid, psutil.Process(connection.pid).name())
        except psutil.Error:
            continue
    return None


def choose(names: Iterable[str], *, seed: str, avoid: Collection[int] = ()) -> dict[str, int]:
    """A free port for every name, none of them in `avoid`."""
    candidates = _from(seed, FIRST_PORT, LAST_PORT)
    return {name: next(port for port in candidates if port not in avoid and is_free(port)) for name in names}


def choose_octet(*, seed: str, avoid: Collection[int] = ()) -> int | None:
    """N of a network 127.N.0.0/16 that nobody listens in; None when all are taken."""
    taken = {*avoid, *_octets_in_use()}
    return next((octet for octet in _from(seed, FIRST_OCTET, LAST_OCTET) if octet not in taken), None)


def _from(seed: str, first: int, last: int) -> Iterable[int]:
    """Every number of the range once, starting at one that the seed decides."""
    count = last - first + 1
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % count
    return iter([first + (start + step) % count for step in range(count)])


def _octets_in_use() -> set[int]:
    """Every N for which some process, of any user, has a socket bound in 127.N.0.0/16."""
    octets: set[int] = set()
    for table in _KERNEL_TABLES:
        if not table.exists():
            continue
        for row in table.read_text().splitlines()[1:]:
            address = bytes.fromhex(row.split()[1].partition(":")[0])
            # The kernel prints the address in host byte order: little-endian on every machine this runs on.
            if address[3] == LOOPBACK_NETWORK:
                octets.add(address[2])
    return octets
