"""A proxy before the emulator that springs a trap at a chosen request."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

# Of the answer, what the proxy's own connection decides.
_OWN_HEADERS = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


@dataclass(frozen=True)
class Request:
    """What the provider asks, with a name for it that reads like the operation's."""

    method: str
    path: str
    target: str
    body: bytes

    def names(self, operation: str) -> bool:
        """Whether it is `CreateVpc` (in a form or a target) or `POST /v2/apis` (a path, exactly)."""
        if " " in operation:
            return f"{self.method} {self.path.partition('?')[0]}" == operation
        return self.target.endswith(f".{operation}") or f"Action={operation}&".encode() in self.body + b"&"


@dataclass
class Trap:
    """Forwards everything; once one of `operations` is done, `spring` is run before its answer."""

    emulator: str
    operations: Collection[str] = ()
    spring: Callable[[], None] = lambda: None
    rewrite: Callable[[Request, bytes], bytes] = lambda _, answer: answer
    sprung: threading.Event = field(default_factory=threading.Event)
    caught: str = ""
    _at_work: int = 0
    _answered: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.emulator, timeout=60)
        trap = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                trap.forward(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Quiet: pytest has enough to show."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def arm(self, operations: Collection[str], spring: Callable[[], None]) -> None:
        """Set the trap, again."""
        self.operations, self.spring, self.caught = operations, spring, ""
        self.sprung.clear()

    def settle(self, deadline_s: float) -> None:
        """Wait for what is on its way to the emulator: a request outlives whoever has sent it."""
        with self._answered:
            assert self._answered.wait_for(lambda: self._at_work == 0, deadline_s)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        with self._answered:
            self._at_work += 1
        try:
            self._forward(handler)
        finally:
            with self._answered:
                self._at_work -= 1
                self._answered.notify_all()

    def _forward(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(handler.command, handler.path, handler.headers.get("X-Amz-Target", ""), body)
        answer = self._client.request(
            handler.command, handler.path, headers=dict(handler.headers.items()), content=body
        )
        caught = next((operation for operation in self.operations if request.names(operation)), "")
        if caught and not self.sprung.is_set():
            self.caught = caught
            self.sprung.set()
            self.spring()
        content = self.rewrite(request, answer.content)
        try:
            self._reply(handler, answer, content)
        except OSError:
            handler.close_connection = True  # whoever asked has been killed, which is the point

    @staticmethod
    def _reply(handler: BaseHTTPRequestHandler, answer: httpx.Response, content: bytes) -> None:
        handler.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN_HEADERS:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
