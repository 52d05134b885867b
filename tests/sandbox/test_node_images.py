"""Which images run for real, and with which command line."""

import sys
from signal import SIGUSR1

import pytest

from sandbox.cluster.kwok import RUN_FOR_REAL
from sandbox.node.images import IMAGES, argv, find, repository
from sandbox.node.pods import is_ours

ADDRESS = "127.7.2.1"


def test_kwok_spares_exactly_the_images_that_the_agent_runs():
    assert set(RUN_FOR_REAL) == set(IMAGES)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        pytest.param("haproxy", "haproxy", id="bare"),
        pytest.param("haproxy:2.6", "haproxy", id="tag"),
        pytest.param("haproxy:2.6@sha256:00ff", "haproxy", id="tag and digest"),
        pytest.param("docker.io/library/haproxy:lts", "haproxy", id="default registry"),
        pytest.param("halfmetal/embedder:0.1.0", "halfmetal/embedder", id="organisation"),
        pytest.param("registry.example:5000/haproxy", "registry.example:5000/haproxy", id="port, no tag"),
    ],
)
def test_repository(image: str, name: str):
    assert repository(image) == name


@pytest.mark.parametrize(
    ("image", "command", "args", "ports", "expected"),
    [
        pytest.param(
            "halfmetal/embedder:0.1.0",
            [],
            [],
            [9000],
            [sys.executable, "-m", "uvicorn", "embedder.app:app", "--host", ADDRESS, "--port", "9000"],
            id="the embedder's own command listens on the pod's address and containerPort",
        ),
        pytest.param(
            "halfmetal/embedder:0.1.0",
            ["python", "-m", "uvicorn"],
            ["embedder.app:app", "--host", "0.0.0.0"],
            [8000],
            [sys.executable, "-m", "uvicorn", "embedder.app:app", "--host", ADDRESS],
            id="a pod's command and args replace it",
        ),
        pytest.param(
            "haproxy:2.6",
            [],
            [],
            [],
            ["haproxy", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
            id="haproxy's own command stays in the foreground",
        ),
        pytest.param(
            "haproxy:2.6", [], ["-f", "/c.cfg"], [], ["haproxy", "-db", "-f", "/c.cfg"], id="bare options"
        ),
        pytest.param(
            "haproxy:2.6",
            [],
            ["haproxy", "-f", "/c.cfg"],
            [],
            ["haproxy", "-db", "-f", "/c.cfg"],
            id="args that name the program",
        ),
        pytest.param(
            "haproxy:2.6", ["sh", "-c", "exit"], [], [], ["sh", "-c", "exit"], id="another program altogether"
        ),
    ],
)
def test_command_line(image: str, command: list[str], args: list[str], ports: list[int], expected: list[str]):
    known = find(image)
    assert known is not None
    words = argv(known, command=command, args=args, ports=ports, address=ADDRESS)
    assert words[: len(expected)] == expected


def test_haproxy_is_asked_to_finish_what_it_has():
    assert IMAGES["haproxy"].stop_signal is SIGUSR1


@pytest.mark.parametrize(
    ("node", "images", "ours"),
    [
        pytest.param("n", ["haproxy:2.6"], True, id="known and bound"),
        pytest.param("n", ["busybox", "halfmetal/embedder:1"], True, id="one of its containers is known"),
        pytest.param("n", ["busybox"], False, id="unknown"),
        pytest.param("", ["haproxy:2.6"], False, id="not bound yet"),
    ],
)
def test_whose_pod_it_is(node: str, images: list[str], *, ours: bool):
    pod = {"spec": {"nodeName": node, "containers": [{"image": image} for image in images]}}
    assert is_ours(pod) is ours
