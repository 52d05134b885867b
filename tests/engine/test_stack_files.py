"""Stack files stay as they were committed, whatever the engine does."""

import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.plugins import install_engine
from sandbox.stack_files import read, restored

DEADLINE_S = 60.0
ORIGINAL = b"""\
# A comment.
config:
  halfmetal:stack:
    topology: hybrid            # pure | hybrid | dedicated
    network: {cidr: 10.20.0.0/16, nat: none}


    # the end
"""
REFORMATTED = ORIGINAL.replace(b"hybrid            #", b"hybrid #").replace(b"\n\n\n", b"\n")
SALT = b"encryptionsalt: v1:eUFXUgux1AU=:v1:wEml0keD:S0WFWF2UW69ThR5+aQAGd9oR1WEfOQ==\n"
SECRET = b"  app:password:\n    secure: v1:abc\n"


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        pytest.param(ORIGINAL, ORIGINAL, id="untouched"),
        pytest.param(ORIGINAL + SALT, ORIGINAL, id="salted"),
        pytest.param(SALT + ORIGINAL, ORIGINAL, id="salted at the head"),
        pytest.param(REFORMATTED + SALT, ORIGINAL, id="salted and reformatted"),
        pytest.param(
            REFORMATTED + b"  app:x: 1\n" + SALT, REFORMATTED + b"  app:x: 1\n", id="set and salted"
        ),
        pytest.param(REFORMATTED + SECRET + SALT, REFORMATTED + SECRET + SALT, id="a secret needs its salt"),
        pytest.param(ORIGINAL + b"# edited\n", ORIGINAL + b"# edited\n", id="edited by someone"),
    ],
)
def test_a_file_that_differs_by_the_salt_alone_is_put_back(current: bytes, expected: bytes):
    assert restored(ORIGINAL, current) == expected


def test_files_that_held_a_salt_before_are_left_alone(tmp_path: Path):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "examples" / "one").mkdir(parents=True)
    clean = tmp_path / "stacks" / "Pulumi.clean.yaml"
    example = tmp_path / "examples" / "one" / "Pulumi.dev.yaml"
    for path, content in ((clean, ORIGINAL), (example, ORIGINAL), (clean.with_name("Pulumi.x.yaml"), SALT)):
        path.write_bytes(content)
    assert read(tmp_path) == {clean: ORIGINAL, example: ORIGINAL}


def test_a_repository_with_a_space_in_its_path_is_quoted(tmp_path: Path):
    install_engine(tmp_path / "bin", Path("/a b/pulumi"), Path("/c d"))
    script = (tmp_path / "bin" / "pulumi").read_text()
    assert shlex.split(script.splitlines()[1])[-3:] == ["/c d", "/a b/pulumi", "$@"]


@pytest.mark.engine
def test_no_command_leaves_its_mark_on_a_stack_file(project: Callable[..., Any], tmp_path: Path):
    made = project(
        {"__main__.py": "import pulumi\npulumi.export('s', pulumi.Output.secret('hush'))\n"},
        extra="stackConfigDir: stacks\n",
        init=False,
    )
    install_engine(tmp_path / "bin", Path(made.pulumi), made.directory)
    file = made.directory / "stacks" / "Pulumi.hybrid.yaml"
    file.parent.mkdir()
    file.write_bytes(ORIGINAL)
    for command in (
        "stack init hybrid",
        "preview -s hybrid",
        "up -s hybrid --yes --skip-preview",
        "up -s hybrid --yes",
        "config -s hybrid",
        "stack output -s hybrid --show-secrets",
        "stack export -s hybrid",
        "refresh -s hybrid --yes --skip-preview",
        "destroy -s hybrid --yes --skip-preview",
        "stack rm hybrid --yes --preserve-config",
    ):
        done = subprocess.run(
            [tmp_path / "bin" / "pulumi", *command.split(), "--non-interactive"],
            cwd=made.directory,
            env=dict(made.env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert _soon(lambda: file.read_bytes() == ORIGINAL), f"{command}: {file.read_text()}"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.engine
def test_a_killed_engine_leaves_the_file_clean_too(project: Callable[..., Any], tmp_path: Path):
    made = project(
        {"__main__.py": "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(600)\n"},
        extra="stackConfigDir: stacks\n",
        init=False,
    )
    install_engine(tmp_path / "bin", Path(made.pulumi), made.directory)
    file = made.directory / "stacks" / "Pulumi.test.yaml"
    file.parent.mkdir()
    file.write_bytes(ORIGINAL)
    assert made.run("stack", "init", "test").status == 0
    file.write_bytes(ORIGINAL)
    command = [
        str(tmp_path / "bin" / "pulumi"),
        *made.command("up", "-s", "test", "--yes", "--skip-preview")[1:],
    ]
    engine = subprocess.Popen(
        command, cwd=made.directory, env=dict(made.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert _soon((made.directory / "started").exists)
    engine.kill()
    engine.wait(DEADLINE_S)
    assert _soon(lambda: file.read_bytes() == ORIGINAL)


def test_the_wrapper_becomes_the_engine(tmp_path: Path):
    program = tmp_path / "engine"
    program.write_text('#!/bin/sh\necho "$$ $PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER $*"\nexit 3\n')
    program.chmod(0o755)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.x.yaml").write_bytes(ORIGINAL)
    install_engine(tmp_path / "bin", program, tmp_path)
    started = subprocess.Popen([tmp_path / "bin" / "pulumi", "up", "a b"], stdout=subprocess.PIPE, text=True)
    output, _ = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, output) == (3, f"{started.pid} true up a b\n")


def _soon(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())
