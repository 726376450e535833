"""Answers about artifacts: versions by digest, manifests, files, and which run used or logged one."""

import json
import urllib.parse
from typing import Any

from tests.wandb_stand_in.store import Artifact, Store, connection, global_id, now

Variables = dict[str, Any]


def create(store: Store, said: Variables) -> Variables:
    """A new version, or the one that has the same digest; the real server does not keep the same content twice."""
    said = said.get("input", said)
    name = said.get("artifactCollectionName") or said["artifactCollectionNames"][0]
    versions = [each for each in store.artifacts.values() if each.name == name]
    found = next((each for each in versions if each.digest == said["digest"]), None)
    if found is None:
        found = Artifact(
            id=global_id("Artifact", store.number()),
            type=said["artifactTypeName"],
            name=name,
            digest=said["digest"],
            version=len(versions),
            logged_by=said.get("runName"),
            metadata=json.loads(said.get("metadata") or "{}"),
        )
        store.artifacts[found.id] = found
    latest = next((each for each in reversed(versions) if each.state == "COMMITTED"), None)
    sequence = {
        "id": global_id("Seq", name),
        "latestArtifact": latest and {"id": latest.id, "versionIndex": latest.version},
    }
    return {
        "createArtifact": {"artifact": {"id": found.id, "state": found.state, "artifactSequence": sequence}}
    }


def manifest(store: Store, said: Variables) -> Variables:
    number = global_id("Manifest", store.number())
    store.manifests[number] = said["artifactID"]
    return {"createArtifactManifest": {"artifactManifest": _manifest_file(store, number)}}


def update_manifest(store: Store, said: Variables) -> Variables:
    return {"updateArtifactManifest": {"artifactManifest": _manifest_file(store, said["artifactManifestID"])}}


def _manifest_file(store: Store, number: str) -> Variables:
    name = "wandb_manifest.json"
    url = f"{store.url}/storage/manifests/{urllib.parse.quote(store.manifests[number])}"
    file = {"id": "F1", "name": name, "displayName": name, "uploadUrl": url, "uploadHeaders": []}
    return {"id": number, "file": file}


def files(store: Store, said: Variables) -> Variables:
    nodes = []
    for wanted in said.get("input", said)["artifactFiles"]:
        path = f"artifacts/{urllib.parse.quote(wanted['artifactID'])}/{urllib.parse.quote(wanted['name'])}"
        nodes.append(
            {
                "id": global_id("File", store.number()), "name": wanted["name"], "displayName": wanted["name"],
                "uploadUrl": f"{store.url}/storage/{path}", "uploadHeaders": [], "uploadMultipartUrls": None,
                "storagePath": path, "artifact": {"id": wanted["artifactID"]},
            }
        )  # fmt: skip
    return {"createArtifactFiles": {"files": connection(nodes)}}


def commit(store: Store, said: Variables) -> Variables:
    artifact = store.artifacts[said["artifactID"]]
    artifact.state = "COMMITTED"
    return {"commitArtifact": {"artifact": {"id": artifact.id, "digest": artifact.digest}}}


def use(store: Store, said: Variables) -> Variables:
    said = said.get("input", said)
    artifact = store.artifacts[said["artifactID"]]
    if said["runName"] not in artifact.used_by:
        artifact.used_by.append(said["runName"])
    shown = {
        "id": artifact.id, "digest": artifact.digest, "description": "", "state": artifact.state, "createdAt": now(),
        "metadata": json.dumps(artifact.metadata),
    }  # fmt: skip
    return {"useArtifact": {"artifact": shown}}


def artifact_type(store: Store, said: Variables) -> Variables:
    """No collection of that name has another type."""
    return {"project": None}


ANSWERS = {
    "CreateArtifact": create,
    "CreateArtifactManifest": manifest,
    "UpdateArtifactManifest": update_manifest,
    "CreateArtifactFiles": files,
    "CommitArtifact": commit,
    "UseArtifact": use,
    "ArtifactType": artifact_type,
}
