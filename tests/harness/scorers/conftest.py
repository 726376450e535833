import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from prefillroute.harness.questions import Question
from prefillroute.harness.scorers.contract import Scorer, Verdict


@pytest.fixture
def scored() -> Callable[..., Verdict]:
    """`scored(scorer, response, answer="C", prompt=..., **facts)`, in an event loop of its own."""

    def score(
        scorer: Scorer, response: str, answer: str = "C", prompt: str = "Which?", **facts: Any
    ) -> Verdict:
        return asyncio.run(scorer.score(Question("q", "math", prompt, answer, facts), response))

    return score


class JudgeServer(ThreadingHTTPServer):
    """Speaks OpenAI's chat completions; `replies` are given in turn, the last one again and again.

    A number is an HTTP status; a string is what the judge says.
    """

    daemon_threads = True
    replies: list[str | int]
    requests: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, JudgeServer)
        length = int(self.headers["Content-Length"])
        server.requests.append(json.loads(self.rfile.read(length)))
        reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
        if isinstance(reply, int):
            self._send(reply, {"error": {"message": "on purpose", "type": "server_error"}})
            return
        message = {"role": "assistant", "content": reply}
        self._send(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 0,
                "model": "judge-1",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": 1000,
                    "completion_tokens": 50,
                    "total_tokens": 1050,
                    "prompt_tokens_details": {"cached_tokens": 400},
                },
            },
        )

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("retry-after-ms", "1")  # the client's own retries need not wait here
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def judge_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """On 127.0.0.1, known to Inspect as `openai-api/loopback/judge-1`."""
    server = JudgeServer(("127.0.0.1", 0), Handler)
    server.replies, server.requests = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("LOOPBACK_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("LOOPBACK_API_KEY", "none")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
