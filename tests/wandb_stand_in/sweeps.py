"""Answers about sweeps and agents; the values are chosen here, by grid or at random, as the real server does."""

import itertools
import json
import random
from typing import Any

import yaml

from tests.wandb_stand_in.runs import bucket
from tests.wandb_stand_in.store import ENTITY, Store, Sweep, connection, global_id, now

Variables = dict[str, Any]


def _next_values(sweep: Sweep) -> Variables | None:
    """What the agent is to run next; None if the sweep is at its end."""
    parameters, cap = sweep.config["parameters"], sweep.config.get("run_cap")
    if cap is not None and sweep.given >= cap:
        return None
    if sweep.config["method"] == "grid":
        lists = [entry.get("values") or [entry["value"]] for entry in parameters.values()]
        combinations = list(itertools.product(*lists))
        if sweep.given >= len(combinations):
            return None
        values = dict(zip(parameters, combinations[sweep.given], strict=True))
    else:
        # Bayesian search is the real server's; what an agent gets from it looks the same.
        draw = random.Random(f"{sweep.name} {sweep.given}")
        values = {key: _drawn(entry, draw) for key, entry in parameters.items()}
    sweep.given += 1
    return {key: {"value": value} for key, value in values.items()}


def _drawn(entry: Variables, draw: random.Random) -> Any:
    if "values" in entry:
        return draw.choice(entry["values"])
    if "value" in entry:
        return entry["value"]
    low, high = entry["min"], entry["max"]
    return (
        draw.randint(low, high) if isinstance(low, int) and isinstance(high, int) else draw.uniform(low, high)
    )


def upsert_project(store: Store, said: Variables) -> Variables:
    name = said.get("name")
    model = {"id": "1", "name": name, "entityName": ENTITY, "description": "", "access": None, "views": None}
    project = {"id": "1", "name": name, "entity": {"name": ENTITY}}
    return {"upsertModel": {"model": model, "project": project, "inserted": False}}


def upsert_sweep(store: Store, said: Variables) -> Variables:
    name = f"sweep{store.number():04d}"
    entity, project = said.get("entityName") or ENTITY, said["projectName"]
    sweep = Sweep(name, yaml.safe_load(said["config"]), said["config"], entity, project)
    store.sweeps[name] = sweep
    owner = {"id": "1", "name": project, "entity": {"id": "1", "name": entity}}
    shown = {"id": sweep.id, "name": name, "project": owner}
    return {"upsertSweep": {"sweep": shown, "configValidationWarnings": []}}


def show(store: Store, said: Variables) -> Variables:
    sweep = store.sweeps.get(said.get("sweep") or said.get("name") or "")
    if sweep is None:
        return {"project": {"sweep": None}}
    runs = [bucket(run) for run in store.runs.values() if run.sweep == sweep.name]
    shown = {
        "id": sweep.id, "name": sweep.name, "displayName": sweep.name, "method": sweep.config["method"],
        "state": sweep.state, "description": "", "config": sweep.raw, "createdAt": now(), "heartbeatAt": now(),
        "updatedAt": now(), "earlyStopJobRunning": False, "bestLoss": None, "controller": None, "scheduler": None,
        "priorRuns": connection([]), "runCount": len(runs), "runCountExpected": None, "order": None, "user": None,
        "runs": connection(runs),
    }  # fmt: skip
    return {"project": {"sweep": shown}}


def create_agent(store: Store, said: Variables) -> Variables:
    agent = global_id("Agent", store.number())
    store.agents[agent] = said["sweep"]
    return {"createAgent": {"agent": {"id": agent}}}


def heartbeat(store: Store, said: Variables) -> Variables:
    wanted = store.agents[said["id"]]
    sweep = next(each for each in store.sweeps.values() if wanted in (each.name, each.id))
    running = said.get("runState") or "{}"
    running = json.loads(running) if isinstance(running, str) else running
    commands: list[Variables] = []
    if not any(running.values()):
        values = _next_values(sweep)
        if values is None:
            sweep.state = "FINISHED"
            commands = [{"type": "exit"}]
        else:
            run = {"run_id": f"agent{store.number():04d}", "args": values}
            commands = [{"type": "run", **run, "program": sweep.config.get("program")}]
    return {"agentHeartbeat": {"agent": {"id": said["id"]}, "commands": json.dumps(commands)}}


ANSWERS = {
    "UpsertModel": upsert_project,
    "UpsertSweep": upsert_sweep,
    "CreateAgent": create_agent,
    "Heartbeat": heartbeat,
    **dict.fromkeys(("SweepWithRuns", "Sweep", "GetSweep", "GetSweepLegacy"), show),
}
