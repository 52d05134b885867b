"""TCP proxies in front of services: what kube-proxy and a network load balancer do, on loopback.

A connection goes to one ready endpoint, the next one gets the next, and one that does not accept is passed
over. Bytes are handed on as they come; a side that reads slowly slows the other side down.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)
Target = tuple[str, int]
_CONNECT_S = 1.0
_BACKLOG = 512


class Proxy:
    """One listening address and port, and whoever it leads to at the time of each connection."""

    def __init__(self, address: str, port: int, targets: Callable[[], Sequence[Target]]) -> None:
        """Listens only once started."""
        self.address, self.port = address, port
        self._targets = targets
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[_Side] = set()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Side(self._accepted, self._open), self.address, self.port, backlog=_BACKLOG
        )

    async def stop(self) -> None:
        """Listen no more, and end what is open: the service is gone."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for side in list(self._open):
            side.abort()

    def _accepted(self, client: "_Side") -> None:
        task = asyncio.create_task(self._join(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, client: "_Side") -> None:
        for address, port in self._in_turn():
            try:
                server = await self._connect(address, port)
            except OSError:
                continue
            client.join(server)
            return
        # Nobody is there: refuse, as a service without endpoints does.
        client.abort()

    async def _connect(self, address: str, port: int) -> "_Side":
        loop = asyncio.get_running_loop()
        connecting = loop.create_connection(lambda: _Side(None, self._open), address, port)
        _, side = await asyncio.wait_for(connecting, _CONNECT_S)
        return side

    def _in_turn(self) -> Sequence[Target]:
        targets = self._targets()
        if not targets:
            return targets
        self._turn = (self._turn + 1) % len(targets)
        return [*targets[self._turn :], *targets[: self._turn]]


class _Side(asyncio.Protocol):
    """One end of a proxied connection; until it is joined with the other, it does not read."""

    def __init__(self, accepted: "Callable[[_Side], None] | None", register: "set[_Side]") -> None:
        self._accepted = accepted
        self._register = register
        self._transport: asyncio.Transport | None = None
        self._peer: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("not a stream")
        self._transport = transport
        self._register.add(self)
        transport.pause_reading()
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._accepted is not None:
            self._accepted(self)

    def join(self, other: "_Side") -> None:
        """From now on everything that one side reads is written to the other."""
        self._peer, other._peer = other, self
        for side in (self, other):
            side.read(go_on=True)
        if self._closed():
            other.close()
        if other._closed():
            self.close()

    def data_received(self, data: bytes) -> None:
        if self._peer is not None and self._peer._transport is not None:
            self._peer._transport.write(data)

    def eof_received(self) -> bool:
        """One direction ends; the other may go on (a client that has sent its whole request)."""
        peer = self._peer._transport if self._peer else None
        if peer is not None and peer.can_write_eof() and not peer.is_closing():
            peer.write_eof()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        self._register.discard(self)
        if self._peer is not None:
            self._peer.close()

    def pause_writing(self) -> None:
        if self._peer is not None:
            self._peer.read(go_on=False)

    def resume_writing(self) -> None:
        if self._peer is not None:
            self._peer.read(go_on=True)

    def read(self, *, go_on: bool) -> None:
        """Read on, or wait."""
        if self._transport is None or self._transport.is_closing():
            return
        if go_on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        """Close once what is still to be written has been."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()
