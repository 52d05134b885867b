"""The engine previewing `examples/misplaced`, with no cloud behind it: a preview creates nothing."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from sandbox.engine import Engine, Outcome
from sandbox.plugins import install_engine, install_plugins
from sandbox.progress import Progress
from sandbox.toolchain import ensure

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "misplaced"

_IDENTITY = """\
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId><Account>000000000000</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>
"""


class _WhoAmI(BaseHTTPRequestHandler):
    """Answers the one question that a preview asks of AWS. Any other is an error that names it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        action = parse_qs(body).get("Action", ["?"])[0]
        known = action == "GetCallerIdentity"
        answer = (_IDENTITY if known else f"a preview asked AWS for {action}").encode()
        self.send_response(200 if known else 400)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing: the engine's own log tells what went wrong."""


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _WhoAmI)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory, aws_endpoint: str) -> dict[str, str]:
    """The environment of an engine of the tests' own: its plugins, its backend, nothing of the user's."""
    state = tmp_path_factory.mktemp("misplaced")
    toolchain = ensure(["engine", "kubernetes-provider"], Progress())
    provider = toolchain.path("pulumi-resource-kubernetes")
    install_engine(state / "bin", toolchain.path("pulumi"))
    install_plugins(state / "home", {"pulumi-resource-kubernetes": provider})
    (state / "backend").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
    return kept | {
        "PATH": f"{state / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": (state / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(state / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def misplaced(
    engine_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Engine]:
    """The example in a project directory of its own, with the program's own check on or off."""

    def engine(*, config_time: bool) -> Engine:
        monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path / "state"))
        project = tmp_path / "project"
        project.mkdir()
        for name in ("Pulumi.yaml", "Pulumi.misplaced.yaml"):
            text = (EXAMPLE / name).read_text(encoding="utf-8").replace("../..", str(ROOT))
            text = text.replace("config_time: true", f"config_time: {str(config_time).lower()}")
            (project / name).write_text(text, encoding="utf-8")
        made = Engine(engine_env, project)
        made.ensure_stack("misplaced")
        return made

    return engine


@pytest.fixture
def preview_of_misplaced(misplaced: Callable[..., Engine]) -> Callable[..., Outcome]:
    """Previews the example, judged by the policy pack."""

    def preview(*, config_time: bool) -> Outcome:
        with Progress().step("preview") as step:
            return misplaced(config_time=config_time).preview("misplaced", step)

    return preview
