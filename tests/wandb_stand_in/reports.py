"""Answers about reports, their custom charts and projects."""

from typing import Any

from tests.wandb_stand_in.store import ENTITY, Store, connection, global_id, now

Variables = dict[str, Any]


def projects(store: Store, said: Variables) -> Variables:
    user = {
        "__typename": "User", "id": "VXNlcjox", "name": "local", "username": "local", "email": "local@localhost",
        "admin": True, "flags": "{}", "entity": ENTITY, "deletedAt": None, "apiKeys": connection([]),
        "teams": connection([]),
    }  # fmt: skip
    entity = said.get("entity")
    names = sorted({project for owner, project, _ in store.runs if owner == entity})
    nodes = [
        {
            "id": global_id("Project", name), "name": name, "entityName": entity, "createdAt": now(),
            "isBenchmark": False, "user": user,
        }
        for name in names
    ]  # fmt: skip
    return {"models": connection(nodes)}


def project_id(store: Store, said: Variables) -> Variables:
    name = said["projectName"]
    return {"project": {"id": global_id("Project", name), "internalId": global_id("ProjectInternalId", name)}}


def save(store: Store, said: Variables) -> Variables:
    number = said.get("id") or global_id("View", store.number()).rstrip("=")
    view = {
        "id": number, "type": said["type"], "name": said["name"], "displayName": said["displayName"],
        "description": said["description"], "spec": said["spec"], "createdAt": now(), "updatedAt": now(),
        "project": {"id": "1", "name": said["projectName"], "entityName": said["entityName"]},
    }  # fmt: skip
    store.views[number] = view
    return {"upsertView": {"view": view, "inserted": True}}


def show(store: Store, said: Variables) -> Variables:
    return {"view": store.views.get(said["reportId"].rstrip("="))}


def create_chart(store: Store, said: Variables) -> Variables:
    name = f"{said['entity']}/{said['chartName']}"
    store.charts[name] = said
    return {"createCustomChart": {"chart": {"id": name}}}


ANSWERS = {
    "Projects": projects,
    "GetProjects": projects,
    "ProjectInternalId": project_id,
    "upsertView": save,
    "SpecificReport": show,
    "CreateCustomChart": create_chart,
}
