"""The cluster's DNS: which names are answered, with what, and what else is said."""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from dnslib import RCODE, DNSRecord

from sandbox import ports
from sandbox.node.cache import Listener
from sandbox.node.dns import Name, Server, Zone, parse, respond
from sandbox.node.endpoints import SERVICE_LABEL, Endpoints


class Slices:
    """Stands in for the cache of EndpointSlices."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.objects = {f"{i['metadata']['namespace']}/{i['metadata']['name']}": i for i in items}

    def listen(self, listener: Listener) -> None:
        self.listener = listener


def endpoint(address: str, *, ready: bool | None = True, hostname: str | None = None) -> dict[str, Any]:
    return {"addresses": [address], "conditions": {"ready": ready}, "hostname": hostname}


def slice_of(service: str, *endpoints: dict[str, Any], name: str = "s1") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "ml", "labels": {SERVICE_LABEL: service}},
        "ports": [{"name": "http", "port": 8000}],
        "endpoints": list(endpoints),
    }


SLICES = Slices(
    slice_of(
        "embed", endpoint("10.7.2.1"), endpoint("10.7.2.2", ready=False), endpoint("10.7.2.3", ready=None)
    ),
    slice_of("db", endpoint("10.7.2.9", hostname="db-0"), name="s2"),
    slice_of("big", *(endpoint(f"10.7.3.{number}") for number in range(1, 120)), name="s3"),
)
SERVICES = {"embed", "db", "big", "empty"}
ZONE = Zone(
    Endpoints(SLICES),  # type: ignore[arg-type]  # all that it uses of a cache
    lambda namespace, name: namespace == "ml" and name in SERVICES,
)


def ask(name: str, qtype: str = "A", *, stream: bool = False, zone: Zone = ZONE) -> DNSRecord:
    query = DNSRecord.question(name, qtype)
    return DNSRecord.parse(respond(zone, query.pack(), stream=stream))


@pytest.mark.parametrize(
    ("name", "qtype", "answers"),
    [
        pytest.param(
            "embed.ml.svc.cluster.local", "A", ["127.7.2.1", "127.7.2.3"], id="ready, or not known not to be"
        ),
        pytest.param("EMBED.ml.SVC.cluster.local", "A", ["127.7.2.1", "127.7.2.3"], id="any case"),
        pytest.param("db-0.db.ml.svc.cluster.local", "A", ["127.7.2.9"], id="one pod by its host name"),
        pytest.param("127-7-2-1.embed.ml.svc.cluster.local", "A", ["127.7.2.1"], id="one pod by its address"),
        pytest.param("embed.ml.svc.cluster.local", "AAAA", [], id="there are no IPv6 addresses"),
        pytest.param("empty.ml.svc.cluster.local", "A", [], id="a service without endpoints"),
        pytest.param(
            "_http._tcp.db.ml.svc.cluster.local",
            "SRV",
            ["0 100 8000 db-0.db.ml.svc.cluster.local."],
            id="a port by its name",
        ),
        pytest.param("_grpc._tcp.db.ml.svc.cluster.local", "SRV", [], id="a port that there is not"),
    ],
)
def test_answers(name: str, qtype: str, answers: list[str]):
    reply = ask(name, qtype)
    assert reply.header.rcode == RCODE.NOERROR
    assert reply.header.aa == 1
    assert [str(record.rdata) for record in reply.rr] == answers


@pytest.mark.parametrize(
    ("name", "qtype", "answers"),
    [
        pytest.param("api1.execute-api.localhost", "A", ["127.0.0.1"], id="a name under localhost"),
        pytest.param("LOCALHOST", "A", ["127.0.0.1"], id="localhost itself"),
        pytest.param("api1.execute-api.localhost", "AAAA", [], id="which has no IPv6 address here"),
    ],
)
def test_localhost_is_this_machine(name: str, qtype: str, answers: list[str]):
    reply = ask(name, qtype)
    assert reply.header.rcode == RCODE.NOERROR
    assert [str(record.rdata) for record in reply.rr] == answers


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("nope.ml.svc.cluster.local", "NXDOMAIN", id="no such service"),
        pytest.param("embed.other.svc.cluster.local", "NXDOMAIN", id="not in that namespace"),
        pytest.param("embed.ml.pod.cluster.local", "NXDOMAIN", id="not a service's name"),
        pytest.param("cluster.local", "NXDOMAIN", id="the domain itself"),
        pytest.param("example.com", "REFUSED", id="somebody else's domain"),
    ],
)
def test_refusals(name: str, code: str):
    assert RCODE[ask(name).header.rcode] == code


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (("a", "ns", "svc", "cluster", "local"), Name("a", "ns")),
        (("h", "a", "ns", "svc", "cluster", "local"), Name("a", "ns", hostname="h")),
        (("_p", "_tcp", "a", "ns", "svc", "cluster", "local"), Name("a", "ns", port="p")),
        (("_p", "_udp", "a", "ns", "svc", "cluster", "local"), None),
        (("x", "y", "a", "ns", "svc", "cluster", "local"), None),
        (("ns", "svc", "cluster", "local"), None),
    ],
)
def test_parse(labels: tuple[str, ...], name: Name | None):
    assert parse(labels) == name


def test_an_answer_that_does_not_fit_a_datagram_is_cut_and_marked():
    assert ask("big.ml.svc.cluster.local").header.tc == 1
    whole = ask("big.ml.svc.cluster.local", stream=True)
    assert (whole.header.tc, len(whole.rr)) == (0, 119)


def test_a_client_may_say_that_more_fits():
    query = DNSRecord.question("big.ml.svc.cluster.local")
    query.add_ar(*DNSRecord.parse(_with_payload_size(4096)).ar)
    reply = DNSRecord.parse(respond(ZONE, query.pack(), stream=False))
    assert (reply.header.tc, len(reply.rr)) == (0, 119)


def _with_payload_size(size: int) -> bytes:
    header = struct.pack("!HHHHHH", 1, 0x0100, 0, 0, 0, 1)
    return header + b"\0" + struct.pack("!HHIH", 41, size, 0, 0)


@pytest.mark.parametrize("query", [b"", b"\0", b"\1\2garbage", DNSRecord.question("a.b").reply().pack()])
def test_what_is_no_query_does_no_harm(query: bytes):
    answer = respond(ZONE, query, stream=False)
    assert answer == b"" or DNSRecord.parse(answer).header.rcode == RCODE.FORMERR


def test_endpoints_follow_their_slices():
    slices = Slices(slice_of("embed", endpoint("10.7.2.1")))
    endpoints = Endpoints(slices)  # type: ignore[arg-type]  # all that it uses of a cache
    old, new = slices.objects["ml/s1"], slice_of("embed", endpoint("10.7.2.5"))
    slices.listener("ml/s1", old, new)
    assert [each.address for each in endpoints.ready("ml", "embed")] == ["127.7.2.5"]
    slices.listener("ml/s1", new, None)
    assert endpoints.ready("ml", "embed") == []


def test_it_serves_both_transports_on_one_port(tmp_path: Path):
    query = DNSRecord.question("db.ml.svc.cluster.local").pack()

    async def over_udp_and_tcp() -> tuple[bytes, bytes]:
        port = ports.choose(["dns"], seed=str(tmp_path))["dns"]
        server = Server(ZONE, "127.0.0.1", port)
        await server.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(struct.pack("!H", len(query)) + query)
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            over_tcp = await reader.readexactly(size)
            writer.close()
            return await asyncio.to_thread(_udp, port, query), over_tcp
        finally:
            await server.stop()

    for answer in asyncio.run(over_udp_and_tcp()):
        assert [str(record.rdata) for record in DNSRecord.parse(answer).rr] == ["127.7.2.9"]


def _udp(port: int, query: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(query, ("127.0.0.1", port))
        return client.recv(4096)
