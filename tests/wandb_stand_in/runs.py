"""Answers about runs: opening, resuming, files, and what the public API reads of them."""

import json
import urllib.parse
from typing import Any

from tests.wandb_stand_in.store import ENTITY, Run, Store, connection, global_id, now

Variables = dict[str, Any]


def bucket(run: Run) -> Variables:
    """A run as the server shows it."""
    keys = {key: {"typeCounts": [{"type": "number", "count": 1}]} for row in run.history for key in row}
    return {
        "id": run.id, "name": run.name, "displayName": run.display_name or run.name, "description": "",
        "notes": None, "config": json.dumps(run.config), "sweepName": run.sweep, "group": run.group,
        "jobType": run.job_type, "tags": run.tags, "state": run.state, "createdAt": run.created,
        "heartbeatAt": now(), "commit": None, "host": "local", "readOnly": False,
        "summaryMetrics": json.dumps(run.summary), "systemMetrics": "{}",
        "historyKeys": {"keys": keys, "lastStep": len(run.history) - 1, "sets": []},
        "historyLineCount": len(run.history), "logLineCount": len(run.output),
        "eventsLineCount": len(run.events), "historyTail": _tail(run.history), "eventsTail": _tail(run.events),
        "wandbConfig": json.dumps({"t": 1}), "fileCount": len(run.files), "projectId": "1", "stopped": False,
        "user": {"name": "local", "username": "local"}, "sampledHistory": None,
        "project": {"id": global_id("Project", run.project), "name": run.project,
                    "entity": {"id": global_id("Entity", run.entity), "name": run.entity}},
        "history": [json.dumps(row) for row in run.history], "events": [],
    }  # fmt: skip


def _tail(rows: list[Variables]) -> str:
    return json.dumps([json.dumps(row) for row in rows[-1:]])


def viewer(store: Store, said: Variables) -> Variables:
    user = {
        "id": "VXNlcjox", "entity": ENTITY, "username": "local", "name": "local", "email": "local@localhost",
        "admin": True, "deletedAt": None, "flags": "{}", "teams": connection([{"name": ENTITY}]),
        "apiKeys": connection([]), "organizations": [], "defaultFramework": None,
    }  # fmt: skip
    versions = {"max_cli_version": "9.9.9", "min_cli_version": "0.0.1"}
    return {
        "viewer": user,
        "serverInfo": {"cliVersionInfo": versions, "latestLocalVersionInfo": None, "features": []},
    }


def features(store: Store, said: Variables) -> Variables:
    return {"serverInfo": {"features": []}}


def organization(store: Store, said: Variables) -> Variables:
    return {"entity": None}


def upsert_run(store: Store, said: Variables) -> Variables:
    key = (said.get("entity") or ENTITY, said.get("project") or "uncategorized", said.get("name") or "")
    inserted = False
    if said.get("id") and not said.get("name"):
        run = next(each for each in store.runs.values() if each.id == said["id"])
    else:
        inserted = key not in store.runs
        run = store.runs.setdefault(key, Run(*key))
        if inserted or run.exit_code is not None:  # else it says something new of a run that it has open
            run.starts, run.state, run.exit_code = run.starts + 1, "running", None
    if said.get("config"):
        run.config.update(json.loads(said["config"]))
    fields = {
        "displayName": "display_name", "groupName": "group", "jobType": "job_type", "tags": "tags", "sweep": "sweep",
    }  # fmt: skip
    for theirs, ours in fields.items():
        if said.get(theirs):
            setattr(run, ours, said[theirs])
    if said.get("summaryMetrics"):
        run.summary.update(json.loads(said["summaryMetrics"]))
    return {"upsertBucket": {"bucket": bucket(run), "inserted": inserted}}


def resume_status(store: Store, said: Variables) -> Variables:
    run = store.run(said.get("entity"), said.get("project"), said["name"])
    entity = {"id": "1", "name": said.get("entity") or ENTITY}
    return {
        "model": {
            "id": global_id("Project", said.get("project")),
            "name": said.get("project"),
            "entity": entity,
            "bucket": None if run is None else bucket(run),
        }
    }


def run_files(store: Store, said: Variables) -> Variables:
    run = store.run(said["entity"], said["project"], said["run"])
    assert run is not None
    place = f"runs/{run.entity}/{run.project}/{run.name}"
    files = [
        {"name": name, "uploadUrl": f"{store.url}/storage/{urllib.parse.quote(f'{place}/{name}')}"}
        for name in said["files"]
    ]
    return {"createRunFiles": {"runID": run.id, "uploadHeaders": [], "files": files}}


def not_stopped(store: Store, said: Variables) -> Variables:
    return {"project": {"run": {"stopped": False}}}


def _chosen(run: Run, filters: Any) -> bool:
    """Whether a run passes the filters that the package sends."""
    known = {"sweep": run.sweep, "group": run.group, "state": run.state, "display_name": run.display_name}
    for key, value in filters.items():
        if key in ("$and", "$or"):
            if not (all if key == "$and" else any)(_chosen(run, each) for each in value):
                return False
        elif known[key] != value:
            return False
    return True


def list_runs(store: Store, said: Variables) -> Variables:
    filters = json.loads(said.get("filters") or "{}")
    if filters.get("sweep"):
        filters["sweep"] = {sweep.id: name for name, sweep in store.sweeps.items()}.get(
            filters["sweep"], filters["sweep"]
        )
    runs = [
        bucket(run)
        for run in store.runs.values()
        if (run.entity, run.project) == (said.get("entity"), said.get("project")) and _chosen(run, filters)
    ]
    if not any(key[:2] == (said.get("entity"), said.get("project")) for key in store.runs):
        return {"project": None}
    return {
        "project": {"internalId": "1", "runCount": len(runs), "readOnly": False, "runs": connection(runs)}
    }


def one_run(store: Store, said: Variables) -> Variables:
    run = store.run(said.get("entity"), said.get("project"), said.get("name") or said.get("run") or "")
    shown = None if run is None else bucket(run)
    if run is not None and shown is not None and "minStep" in said:
        rows = [row for row in run.history if said["minStep"] <= row["_step"] < said["maxStep"]]
        shown["history"] = [json.dumps(row) for row in rows]
    return {"project": {"internalId": "1", "run": shown}}


def parquet_history(store: Store, said: Variables) -> Variables:
    run = store.run(said["entity"], said["project"], said["runName"])
    assert run is not None
    return {"project": {"run": {"parquetHistory": {"parquetUrls": [], "liveData": run.history}}}}


def nothing(store: Store, said: Variables) -> Variables:
    return {}


_ONE_RUN = ("Run", "GetRun", "GetLightRun", "RunFullHistory", "RunHistoryKeys", "HistoryPage", "GetRunState")
_MANY_RUNS = ("Runs", "LightRuns", "ProjectRuns", "GetRuns", "GetLightRuns")

ANSWERS = {
    "Viewer": viewer,
    "GetDefaultEntity": viewer,
    "GetViewer": viewer,
    "ServerFeaturesQuery": features,
    "OrganizationCoreWeaveOrganizationID": organization,
    "UpsertBucket": upsert_run,
    "RunResumeStatus": resume_status,
    "RunStatus": resume_status,
    "CreateRunFiles": run_files,
    "RunStoppedStatus": not_stopped,
    "RunParquetHistory": parquet_history,
    "ProbeServerCapabilities": nothing,
    **dict.fromkeys(_ONE_RUN, one_run),
    **dict.fromkeys(_MANY_RUNS, list_runs),
}
