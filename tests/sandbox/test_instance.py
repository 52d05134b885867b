"""Ports and networks of several clones on one machine."""

import multiprocessing
import socket
from pathlib import Path

import pytest

from sandbox import instance as instances
from sandbox import ports
from sandbox.errors import SandboxError
from sandbox.instance import PORT_NAMES, Instance, Topology


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "halfmetal"


def make(state: Path, topology: Topology = Topology.HYBRID) -> Instance:
    return instances.ensure(topology, state)


def numbers(instance: Instance) -> set[int]:
    return {*instance.ports.values(), instance.loopback_octet}


def test_the_same_clone_keeps_its_numbers(tmp_path: Path):
    assert make(tmp_path / "clone") == make(tmp_path / "clone")


@pytest.mark.parametrize("there", [False, True], ids=["made now", "an empty one that anybody may read"])
def test_the_state_directory_is_closed_to_others(there: object, tmp_path: Path):
    state = tmp_path / "clone"
    if there:
        state.mkdir(mode=0o755)
    make(state)

    assert state.stat().st_mode & 0o777 == 0o700


def test_all_ports_are_named_different_and_outside_the_ephemeral_range(tmp_path: Path):
    chosen = make(tmp_path / "clone").ports

    assert chosen.keys() == set(PORT_NAMES)
    assert len(set(chosen.values())) == len(PORT_NAMES)
    assert all(ports.FIRST_PORT <= port <= ports.LAST_PORT for port in chosen.values())


def test_clones_share_no_number_even_when_none_of_them_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # The same starting point for all: only the register keeps them apart.
    monkeypatch.setattr(ports, "_from", lambda _, first, last: iter(range(first, last + 1)))

    clones = [numbers(make(tmp_path / name)) for name in ("a", "b", "c")]

    assert len(set.union(*clones)) == sum(map(len, clones))


def _make_in_process(state: Path) -> set[int]:
    return numbers(make(state))


def test_clones_made_at_the_same_moment_share_no_number(tmp_path: Path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        clones = pool.map(_make_in_process, [tmp_path / str(number) for number in range(8)])

    assert len(set.union(*clones)) == sum(map(len, clones))


def test_numbers_are_given_back(tmp_path: Path, cache: Path):
    first = make(tmp_path / "a")
    first.paths.instance.unlink()
    instances.forget(tmp_path / "a")

    assert not list(cache.rglob("*.json"))
    assert make(tmp_path / "a") == first


def test_a_clone_that_was_deleted_without_down_holds_nothing(tmp_path: Path, cache: Path):
    make(tmp_path / "a").paths.instance.unlink()
    make(tmp_path / "b")

    assert len(list(cache.rglob("*.json"))) == 1


def test_a_register_entry_that_cannot_be_read_is_dropped(tmp_path: Path, cache: Path):
    make(tmp_path / "a")
    entry = next(cache.rglob("*.json"))
    entry.write_text("{")

    make(tmp_path / "b")

    assert make(tmp_path / "a")


def test_ports_in_use_are_not_chosen(tmp_path: Path):
    seed = str(tmp_path)  # as two clones have: tests that run beside these look at other ports
    chosen = ports.choose(["one"], seed=seed)["one"]
    with socket.create_server(("127.0.0.1", chosen)):
        assert ports.choose(["one"], seed=seed)["one"] != chosen
        assert not ports.is_free(chosen)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", chosen))
        assert not ports.is_free(chosen)
    assert ports.is_free(chosen)
    assert ports.holder(chosen) is None


def test_a_network_that_somebody_listens_in_is_not_chosen():
    octet = ports.choose_octet(seed="x")
    with socket.create_server((f"127.{octet}.3.4", 0)):
        assert ports.choose_octet(seed="x") != octet


def test_when_every_network_is_taken_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instances, "choose_octet", lambda **_: None)

    with pytest.raises(SandboxError, match=r"127\.2\.0\.0/16 to 127\.254\.0\.0/16") as caught:
        make(tmp_path / "a")

    assert "halfmetal sandbox down" in caught.value.remedy


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        (Topology.PURE, Topology.HYBRID, Topology.HYBRID),
        (Topology.HYBRID, Topology.PURE, Topology.HYBRID),
        (Topology.PURE, Topology.PURE, Topology.PURE),
    ],
)
def test_a_sandbox_widens_and_never_narrows(
    before: Topology, asked: Topology, after: Topology, tmp_path: Path
):
    make(tmp_path / "clone", before)

    assert make(tmp_path / "clone", asked).topology is after


def test_a_pod_address_and_the_address_it_listens_on_differ_in_the_first_part_only(tmp_path: Path):
    instance = make(tmp_path / "clone")

    assert instance.loopback(2, 7) == f"127.{instance.loopback_octet}.2.7"
    assert instance.address(2, 7) == f"10.{instance.loopback_octet}.2.7"


def test_no_instance_is_an_error_with_its_remedy(tmp_path: Path):
    with pytest.raises(SandboxError, match="the sandbox is not up") as caught:
        Instance.load(tmp_path)

    assert caught.value.remedy == "halfmetal sandbox up"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("/x/cache", "/x/cache/halfmetal"), ("relative", "~/.cache/halfmetal"), ("", "~/.cache/halfmetal")],
)
def test_the_cache_is_where_xdg_says(value: str, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert instances.cache_dir() == Path(expected).expanduser()
