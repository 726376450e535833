"""Servers that misbehave: nobody listens, nobody answers, every answer is a refusal."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.wandb_stand_in.server import QuietServer


@contextmanager
def closed_port() -> Iterator[str]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts connections and never says anything."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(64)  # the kernel accepts for it
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A server that answers everything with one HTTP status."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_HEAD = answer

    server = QuietServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
