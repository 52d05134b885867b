"""TCP proxies: who gets the next connection, and what happens to the bytes."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import pytest

from sandbox import ports
from sandbox.node.proxy import Proxy, Target
from sandbox.node.services import Door, doors

Case = Callable[[], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def answering(name: bytes) -> AsyncIterator[Target]:
    """A server that says its name, then everything it is told until the client stops sending."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name)
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def proxying(targets: Sequence[Target]) -> AsyncIterator[Target]:
    proxy = await started(targets)
    try:
        yield proxy.address, proxy.port
    finally:
        await proxy.stop()


async def started(targets: Sequence[Target]) -> Proxy:
    port = ports.choose(["proxy"], seed=secrets.token_hex())["proxy"]
    proxy = Proxy("127.0.0.1", port, lambda: targets)
    await proxy.start()
    return proxy


async def exchange(address: Target, sent: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    writer.write_eof()
    received = await reader.read()
    writer.close()
    return received


async def connections_take_turns() -> None:
    async with answering(b"a") as a, answering(b"b") as b, proxying([a, b]) as door:
        names = [await exchange(door) for _ in range(4)]
    assert sorted(names) == [b"a", b"a", b"b", b"b"]
    assert names[0] != names[1]


async def one_that_does_not_accept_is_passed_over() -> None:
    with socket.socket() as gone:
        # Bound, so that nobody else can have the port, and not listening.
        gone.bind(("127.0.0.1", 0))
        async with answering(b"a") as a, proxying([gone.getsockname(), a]) as door:
            assert [await exchange(door) for _ in range(3)] == [b"a"] * 3


async def nobody_there_is_a_refusal() -> None:
    async with proxying([]) as door:
        with contextlib.suppress(ConnectionError):
            assert await exchange(door) == b""


async def bytes_pass_unchanged_in_both_directions() -> None:
    payload = bytes(range(256)) * 40_000
    async with answering(b"") as server, proxying([server]) as door:
        assert await exchange(door, payload) == payload


async def a_stopped_proxy_ends_what_is_open() -> None:
    async with answering(b"hello") as server:
        proxy = await started([server])
        reader, _writer = await asyncio.open_connection(proxy.address, proxy.port)
        assert await reader.readexactly(5) == b"hello"
        await proxy.stop()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection(proxy.address, proxy.port)


@pytest.mark.parametrize(
    "case",
    [
        connections_take_turns,
        one_that_does_not_accept_is_passed_over,
        nobody_there_is_a_refusal,
        bytes_pass_unchanged_in_both_directions,
        a_stopped_proxy_ends_what_is_open,
    ],
    ids=lambda case: case.__name__,
)
def test_proxy(case: Case):
    asyncio.run(asyncio.wait_for(case(), 60))


NODE, BALANCER = "127.7.0.1", "127.7.1.1"


@pytest.mark.parametrize(
    ("ports", "balancer", "opened"),
    [
        pytest.param(
            [{"port": 80, "nodePort": 30080}],
            None,
            {(NODE, 30080, "")},
            id="a node port on the nodes' address",
        ),
        pytest.param(
            [{"port": 80, "name": "http", "nodePort": 31000}],
            BALANCER,
            {(NODE, 31000, "http"), (BALANCER, 80, "http")},
            id="a load balancer has both",
        ),
        pytest.param([{"port": 53, "protocol": "UDP", "nodePort": 30053}], None, set(), id="TCP only"),
    ],
)
def test_doors(ports: list[dict[str, Any]], balancer: str | None, opened: set[tuple[str, int, str]]):
    service = {"metadata": {"namespace": "ml", "name": "gw"}, "spec": {"ports": ports}}
    expected = {Door(address, port, "ml", "gw", name) for address, port, name in opened}
    assert doors(service, NODE, balancer) == expected
