"""A headless Chromium driven over its debugging pipe: no driver, no port, no further package."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
"""The browser of this machine, or None."""
PATIENCE_S = 20.0


class Tab:
    """One page of the browser. Every request that it makes is counted, and all but the page itself are refused."""

    def __init__(self, read: BinaryIO, write: BinaryIO) -> None:
        self._read, self._write = read, write
        self._numbers = count(1)
        self._left = b""
        self._session: dict[str, str] = {}
        self.requests: list[str] = []
        """Addresses that the page asked for, its own first."""
        self.errors: list[str] = []
        """What the page's script threw."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give one command of the DevTools protocol, and wait for its answer."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **self._session}
        self._write.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, page: Path) -> None:
        """Load a page from disk and wait until its scripts have run."""
        self.requests.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        limit = time.monotonic() + PATIENCE_S
        while self.run("document.readyState") != "complete" or self.run("location.protocol") != "file:":
            assert time.monotonic() < limit, f"{page} did not load"

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            pressed = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **pressed)

    def look(self, width: int, height: int, scheme: str = "light", media: str = "") -> None:
        """Set the size of the window, in CSS pixels, and the reader's colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def shoot(self, path: Path, whole: bool = True) -> None:
        """Save a picture of the page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            readable, _, _ = select.select([self._read], [], [], PATIENCE_S)
            assert readable, "the browser does not answer: a dialog of the page may be open"
            more = os.read(self._read.fileno(), 1 << 20)
            assert more, "the browser has gone"
            self._left += more
        text, _, self._left = self._left.partition(b"\0")
        message = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
        return message


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """Start a browser that reaches no network, with one empty tab; it ends with the block."""
    assert CHROMIUM is not None
    to_browser, to_us = os.pipe(), os.pipe()
    flags = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-extensions", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--remote-debugging-pipe", f"--user-data-dir={profile}",
    ]  # fmt: skip
    # The browser reads from descriptor 3 and writes to 4.
    shell = f'exec "$@" 3<&{to_browser[0]} 4>&{to_us[1]}'
    browser = subprocess.Popen(
        ["bash", "-c", shell, "chromium", CHROMIUM, *flags],
        pass_fds=(to_browser[0], to_us[1]),
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser[0])
    os.close(to_us[1])
    with os.fdopen(to_us[0], "rb", 0) as read, os.fdopen(to_browser[1], "wb", 0) as write:
        try:
            yield Tab(read, write)
        finally:
            browser.terminate()
            browser.wait(PATIENCE_S)
