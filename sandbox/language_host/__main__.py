"""`pulumi-language-python [flags] ENGINE`: serves until the engine has done with it.

Every Pulumi command starts one or more hosts, so starting counts: of the Pulumi SDK this process needs the
generated messages alone, and imports them without the half second that the whole SDK takes.
"""

import argparse
import importlib.util
import os
import signal
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024
"""What the engine and the SDK allow; gRPC's own 4 MiB is less than a large program's state."""
_MAX_CALLS = 64
"""Each program, policy pack and plugin holds one while it runs."""
_LAST_WORDS_SECONDS = 1.0
"""How long a call that is being answered may take to be, at the end."""


def main() -> int:
    engine = _arguments().engine
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: finished.set())
    _watch_for_the_engines_death(finished)
    _serve(engine, finished)
    return 0


def _serve(engine: str, finished: threading.Event) -> None:
    # All of it only now that a signal no longer ends in a traceback.
    import grpc  # noqa: PLC0415

    _import_messages()
    from pulumi.runtime.proto import language_pb2_grpc  # noqa: PLC0415

    from sandbox.language_host.children import Children  # noqa: PLC0415
    from sandbox.language_host.servicer import LanguageHost  # noqa: PLC0415

    children = Children()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_MAX_CALLS),
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        LanguageHost(engine, children, finished.set), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    finished.wait()
    children.stop_all()
    server.stop(_LAST_WORDS_SECONDS).wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pulumi-language-python", description="Pulumi language host for Python"
    )
    parser.add_argument("engine", nargs="?", default="", help="the engine's address")
    # The engine passes these on from its own command line; there is nothing here to log or trace.
    parser.add_argument("--logtostderr", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-v", dest="verbosity", help=argparse.SUPPRESS)
    parser.add_argument("--tracing", help=argparse.SUPPRESS)
    return parser.parse_args()


def _watch_for_the_engines_death(finished: threading.Event) -> None:
    """Ends the host, and with it what it runs, when the engine dies without a word (SIGKILL).

    The engine holds the other end of this process's standard input and never writes to it.
    """
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # started by hand

    def watch() -> None:
        while os.read(0, 1024):
            continue
        finished.set()

    threading.Thread(target=watch, daemon=True).start()


def _import_messages() -> None:
    """Imports the SDK's generated messages with empty packages in place of those around them."""
    found = importlib.util.find_spec("pulumi")
    if found is None or found.origin is None:
        return  # the import that follows says what is missing
    directory = Path(found.origin).parent
    for name, place in (
        ("pulumi", directory),
        ("pulumi.runtime", directory / "runtime"),
        ("pulumi.runtime.proto", directory / "runtime" / "proto"),
    ):
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package


if __name__ == "__main__":
    sys.exit(main())
