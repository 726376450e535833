"""A stand-in for a W&B server on loopback that the real client and `wandb-core` talk to.

It answers what wandb 0.31 asks for in runs, files, resuming, artifacts, sweeps, agents, reports and the public API. An
operation that it does not know gets a GraphQL error and is listed in `Store.unknown`.
"""

import gzip
import http.server
import json
import re
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.wandb_stand_in import artifacts, reports, runs, sweeps
from tests.wandb_stand_in.store import Store

ANSWERS = {**runs.ANSWERS, **artifacts.ANSWERS, **sweeps.ANSWERS, **reports.ANSWERS}
KEY = "0123456789abcdef0123456789abcdef01234567"
STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")
LINES = {"wandb-history.jsonl": "history", "wandb-events.jsonl": "events", "output.log": "output"}


def variables(url: str, home: Path, key: str = KEY) -> dict[str, str]:
    """Environment variables that make a process talk to `url` and to nothing else of W&B's, from a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "WANDB_BASE_URL": url, "WANDB_API_KEY": key, "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false",
        "WANDB_CONFIG_DIR": str(home / "config"), "WANDB_CACHE_DIR": str(home / "cache"),
        "WANDB_DATA_DIR": str(home / "data"), "HOME": str(home), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip


class QuietServer(http.server.ThreadingHTTPServer):
    """A server whose clients may be killed in the middle of a request without a traceback of its own."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def stand_in() -> Iterator[Store]:
    """Run the server on a free port of this machine until the block ends."""
    server = QuietServer(("127.0.0.1", 0), _Handler)
    store = Store(f"http://127.0.0.1:{server.server_port}")
    server.store, server.lock = store, threading.RLock()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *_: Any) -> None:
        """Requests are kept in the store, not printed."""

    def answer(self) -> None:
        body, path = self._body(), urllib.parse.urlparse(self.path).path
        if self.server.store.gone:
            self.close_connection = True
            return
        with self.server.lock:
            status, said = self._respond(path, body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = answer

    def _respond(self, path: str, body: bytes) -> tuple[int, bytes]:
        store: Store = self.server.store
        if path == "/graphql":
            return 200, json.dumps(_graphql(store, json.loads(body))).encode()
        if self.command == "POST" and (found := STREAM.fullmatch(path)):
            _stream(store, *map(urllib.parse.unquote, found.groups()), json.loads(body))
            return 200, b'{"exitcode": null, "limits": {}}'
        if path.startswith("/storage/"):
            name = urllib.parse.unquote(path.removeprefix("/storage/"))
            if self.command == "PUT":
                _keep(store, name, body)
                return 200, b"{}"
            return (200, store.uploads[name]) if name in store.uploads else (404, b"{}")
        return 200, b"{}"  # telemetry

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        packed = self.headers.get("content-encoding") == "gzip" and not self.path.startswith("/storage")
        return gzip.decompress(body) if packed else body


def _graphql(store: Store, asked: dict[str, Any]) -> dict[str, Any]:
    query = asked.get("query", "")
    named = re.search(r"(?:query|mutation)\s+(\w+)", query)
    operation = asked.get("operationName") or (named[1] if named else "")
    said = asked.get("variables") or {}
    store.requests.append((operation, said))
    if re.search(r"__(type|schema)\b", query):
        return {"data": {}}
    answer = ANSWERS.get(operation)
    if answer is None:
        store.unknown.append(operation)
        return {"data": None, "errors": [{"message": f"stand-in: no answer to {operation}"}]}
    return {"data": answer(store, said)}


def _stream(store: Store, entity: str, project: str, name: str, said: dict[str, Any]) -> None:
    """Lines of history and console from an offset, the summary as it stands, and how the run ended."""
    run = store.runs[entity, project, name]
    for file, chunk in (said.get("files") or {}).items():
        if file == "wandb-summary.json":
            run.summary = json.loads(chunk["content"][-1])
        elif file in LINES:
            kept = getattr(run, LINES[file])
            rows = [line if file == "output.log" else json.loads(line) for line in chunk["content"]]
            start = chunk.get("offset", len(kept))
            kept[start : start + len(rows)] = rows
    if said.get("preempting"):
        run.state = "preempting"
    if said.get("complete"):
        run.end(said.get("exitcode") or 0)


def _keep(store: Store, name: str, body: bytes) -> None:
    store.uploads[name] = body
    kind, _, rest = name.partition("/")
    if kind == "manifests":
        store.artifacts[rest].manifest = json.loads(body)
    elif kind == "artifacts":
        number, _, file = rest.partition("/")
        store.artifacts[number].files[file] = body
    elif kind == "runs":
        entity, project, run, file = rest.split("/", 3)
        store.runs[entity, project, run].files[file] = body
