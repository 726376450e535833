"""Files of the hub: from a server of ours that speaks its protocol, and from none."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.check.compare import check_encoder
from prefillroute.extraction.check.files import NotReadError, find_files

COMMIT = "5" * 40


class Hub(BaseHTTPRequestHandler):
    """One repository, `maker/toy`, with the files of a folder; it counts what is fetched of each."""

    folder: Path
    fetched: list[str]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/maker/toy/tree/"):
            files = [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": "0" * 40}
                for file in self.folder.iterdir()
            ]
            content = json.dumps(files).encode()
        elif path.startswith("/api/models/maker/toy"):
            content = json.dumps({"id": "maker/toy", "sha": COMMIT, "tags": []}).encode()
        elif path.startswith("/maker/toy/resolve/"):
            file = self.folder / path.rpartition("/")[2]
            content = file.read_bytes()
            if body:
                self.fetched.append(file.name)
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(toy_folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The library's own addresses, for this test: ours."""
    kind = type("ToyHub", (Hub,), {"folder": toy_folder("llama"), "fetched": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield kind
    server.shutdown()
    server.server_close()
    thread.join()


def facts(repo: str = "maker/toy") -> EncoderConfig:
    return EncoderConfig(
        "toy", repo=repo, num_layers=4, hidden_size=32, context_length=2048, params_b=4.2e-5, kv_numbers=128
    )


def test_the_small_files_are_fetched_and_the_weights_are_not(hub):
    checked = check_encoder(facts(), "toy")
    assert checked.differing == []
    assert checked.place == "hub maker/toy"
    assert {"config.json", "tokenizer.json"} <= set(hub.fetched)
    assert not any("safetensors" in name and "index" not in name for name in hub.fetched)


def test_what_was_fetched_serves_without_a_connection(hub, monkeypatch):
    here = find_files(facts()).folder
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert find_files(facts()).folder == here
    with pytest.raises(NotReadError, match=r"found http://127\.0\.0\.1:9 not reached; fetch config\.json"):
        find_files(facts("maker/other"))


def test_a_repository_that_is_not_there(hub):
    with pytest.raises(
        NotReadError, match=r"^encoder toy: expected the small files .*, found maker/other refused \("
    ):
        find_files(facts("maker/other"))
