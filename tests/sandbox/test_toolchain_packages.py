"""HAProxy and a browser from the distribution, and the emulator's environment: found, fetched, refused."""

import shlex
import shutil
import subprocess
from pathlib import Path
from threading import Event

import pytest

from sandbox.progress import Progress
from sandbox.toolchain import ToolchainError, browser, emulator, gateway
from sandbox.toolchain.children import Children
from sandbox.toolchain.store import Store


def script(path: Path, text: str) -> Path:
    """An executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        pytest.param(
            "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", True, id="Debian 12's"
        ),
        pytest.param("HAProxy version 3.2.4-98813a1 2025/08/13 - https://haproxy.org/", True, id="a new one"),
        pytest.param(
            "HA-Proxy version 2.2.9-2+deb11u6 2023/08/14 - https://haproxy.org/", False, id="Debian 11's"
        ),
        pytest.param("command not found", False, id="something else of that name"),
    ],
)
def test_an_installed_haproxy_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, taken: bool
):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program = script(tmp_path / "haproxy", f'echo "{answer}"')
    assert (gateway.installed(ours=(tmp_path / "cache",)) == program) is taken


def test_a_sandbox_s_own_haproxy_is_not_the_system_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fetched = script(tmp_path / "cache" / "gateway" / "haproxy", 'echo "HAProxy version 2.6.12"')
    link = tmp_path / "clone" / "bin" / "haproxy"
    link.parent.mkdir(parents=True)
    link.symlink_to(fetched)
    monkeypatch.setenv("PATH", f"{link.parent}:/usr/bin:/bin")
    assert gateway.installed(ours=(tmp_path / "cache",)) != link
    assert gateway.installed(ours=()) == link


@pytest.mark.parametrize(
    ("name", "answer", "taken"),
    [
        pytest.param(
            "chromium",
            "Chromium 156.0.8078.73 built on Debian GNU/Linux 12 (bookworm)",
            True,
            id="Debian 12's",
        ),
        pytest.param("google-chrome", "Google Chrome 140.0.7339.80", True, id="Chrome"),
        pytest.param("chromium", "Chromium 90.0.4430.212 built on Debian 10.9", False, id="Debian 10's"),
        pytest.param(
            "chromium-browser",
            "Command '/usr/bin/chromium-browser' requires the chromium snap to be installed.",
            False,
            id="Ubuntu's, which is none",
        ),
    ],
)
def test_an_installed_browser_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, answer: str, *, taken: bool
):
    monkeypatch.setenv("PATH", str(tmp_path))
    program = script(tmp_path / name, f"echo {shlex.quote(answer)}")
    assert (browser.installed(ours=(tmp_path / "cache",)) == program) is taken


def test_without_apt_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="cannot be fetched without apt-get and dpkg-deb") as raised:
        gateway.PROGRAM.check_tools()
    assert "install haproxy 2.6 or newer" in raised.value.remedy


PRETENDED_APT = """
cp "$APT_CONFIG" {log}/config; cp {log}/../into/apt/apt.conf {log}/main
echo "$*" >> {log}/calls
case "$*" in *install*) touch {log}/../into/apt/cache/archives/haproxy_2.6_amd64.deb;; esac
"""
PRETENDED_DPKG = """
mkdir -p "$3/usr/sbin" "$3/usr/lib/x86_64-linux-gnu"
touch "$3/usr/lib/x86_64-linux-gnu/liblua5.3.so.0"
printf '#!/bin/sh\\necho "version 2.6.12 with $LD_LIBRARY_PATH"\\n' > "$3/usr/sbin/haproxy"
chmod +x "$3/usr/sbin/haproxy"
"""


@pytest.fixture
def into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory to build in, with an apt and a dpkg that pretend."""
    log = tmp_path / "log"
    log.mkdir()
    script(tmp_path / "bin" / "apt-get", PRETENDED_APT.format(log=log))
    script(tmp_path / "bin" / "dpkg-deb", PRETENDED_DPKG)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    into = tmp_path / "into"
    into.mkdir()
    return into


def test_a_fetched_haproxy_finds_its_libraries_wherever_it_is_moved(into: Path, tmp_path: Path):
    with Progress.silent().step("gateway") as step:
        programs = gateway.PROGRAM.build(Children(), step, into)
    moved = into.rename(tmp_path / "moved to here")
    linked = tmp_path / "haproxy"
    linked.symlink_to(moved / programs["haproxy"])
    answer = subprocess.run([str(linked), "-v"], capture_output=True, text=True, check=True, cwd="/")
    assert f"version 2.6.12 with {moved}/root/usr/lib/x86_64-linux-gnu" in answer.stdout
    assert not (moved / "apt").exists()


def test_apt_keeps_to_its_own_directories_and_runs_no_hook_of_the_system(into: Path, tmp_path: Path):
    with Progress.silent().step("gateway") as step:
        gateway.PROGRAM.build(Children(), step, into)
    config = (tmp_path / "log" / "config").read_text()
    for setting in ("Dir::State", "Dir::Cache", "Dir::Log"):
        (line,) = [line for line in config.splitlines() if line.startswith(f"{setting} ")]
        assert str(into) in line
    assert "#clear APT::Update::Post-Invoke;" in (tmp_path / "log" / "main").read_text()
    assert "--download-only" in (tmp_path / "log" / "calls").read_text()


def test_a_distribution_without_the_package_says_so(into: Path, tmp_path: Path):
    script(tmp_path / "bin" / "apt-get", "echo 'E: Unable to locate package haproxy'; exit 100")
    with (
        Progress.silent().step("gateway") as step,
        pytest.raises(ToolchainError, match="cannot be fetched") as raised,
    ):
        gateway.PROGRAM.build(Children(), step, into)
    assert "Unable to locate package" in raised.value.detail
    assert "install haproxy" in raised.value.remedy


def test_a_package_that_has_not_the_program_in_it(into: Path):
    with (
        Progress.silent().step("browser") as step,
        pytest.raises(ToolchainError, match="have no usr/lib/chromium/chromium") as raised,
    ):
        browser.build(Children(), step, into)
    assert "install Chromium or Chrome" in raised.value.remedy


def _system_state() -> dict[str, float]:
    paths = (
        "/var/lib/dpkg/status",
        "/var/lib/apt/lists",
        "/var/cache/apt",
        "/var/cache/apt/archives",
        "/usr/sbin",
    )
    return {path: Path(path).stat().st_mtime for path in paths if Path(path).exists()}


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="a machine without apt")
def test_the_real_package_runs_and_the_system_is_as_before(tmp_path: Path):
    before = _system_state()
    into = tmp_path / "into"
    into.mkdir()
    with Progress.silent().step("gateway") as step:
        programs = gateway.PROGRAM.build(Children(), step, into)
    config = tmp_path / "haproxy.cfg"
    config.write_text("defaults\n  mode http\n  timeout client 1s\nfrontend f\n  bind 127.0.0.1:8080\n")
    program = into.rename(tmp_path / "moved") / programs["haproxy"]
    assert gateway.version_of(program) >= gateway.MINIMUM
    answer = subprocess.run(
        [str(program), "-c", "-f", str(config)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert _system_state() == before


def test_the_emulator_s_key_follows_its_locked_file(tmp_path: Path):
    locked = tmp_path / "emulator.txt"
    shutil.copy(emulator.REQUIREMENTS, locked)
    assert emulator.key(locked) == emulator.key()
    locked.write_text(locked.read_text() + "# changed\n")
    assert emulator.key(locked) != emulator.key()


def test_a_package_without_its_hash_is_refused(tmp_path: Path):
    locked = tmp_path / "emulator.txt"
    locked.write_text("ministack==1.5.33\n")
    into = tmp_path / "into"
    into.mkdir()
    with Progress.silent().step("emulator") as step, pytest.raises(ToolchainError) as raised:
        emulator.build(Children(), step, into, locked)
    assert "the emulator's Python environment cannot be made" in raised.value.what
    assert "--require-hashes" in raised.value.detail
    assert "Traceback" not in str(raised.value)


@pytest.mark.engine
def test_the_emulator_s_environment_works_where_it_is_moved_to(tmp_path: Path):
    store = Store(tmp_path / "toolchain")
    with Progress.silent().step("emulator") as step:
        entry = store.make(
            "emulator-key",
            lambda into: emulator.build(Children(), step, into),
            stopped=Event(),
            waiting=lambda _: None,
        )
    python = entry.programs[emulator.PROGRAM]
    code = "import ministack, sys; print(sys.prefix)"
    answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(python.parents[1])
