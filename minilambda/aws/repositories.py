"""moto's CodeCommit repositories have branches, commits and triggers.

Stands for: PutRepositoryTriggers, GetRepositoryTriggers, TestRepositoryTriggers, CreateCommit, PutFile,
DeleteFile, GetFile, GetCommit, CreateBranch, DeleteBranch, GetBranch, ListBranches. AWS pages of these names.
Leaves out: git itself (no clone, no push), pages of branches, the other operations (moto answers that it
lacks them), topics of other accounts; who asked is the account, or the function's role.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from moto.codecommit.exceptions import RepositoryDoesNotExistException
from moto.codecommit.models import CodeCommitBackend
from moto.codecommit.responses import CodeCommitResponse
from moto.core.exceptions import JsonRESTError
from moto.sns.models import sns_backends

from ..callers import Cloud
from ..triggers.code_repository import Author, Refused, blob
from ..triggers.codecommit import Change, NotPublished, Trigger, Triggers, check
from . import repository_store
from .current import as_service, asking
from .models import refuse
from .repository_store import Known

Swap = Callable[[object, str, object], None]


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    part = _Part(cloud)
    swap(CodeCommitBackend, "delete_repository", part.deleting(CodeCommitBackend.delete_repository))
    for name in ("put_repository_triggers", "get_repository_triggers", "test_repository_triggers",
                 "create_commit", "put_file", "delete_file", "get_file", "get_commit", "create_branch",
                 "delete_branch", "get_branch", "list_branches"):
        swap(CodeCommitResponse, name, _answering(getattr(part, name)))


class _Part:
    def __init__(self, cloud: Cloud) -> None:
        repository_store.clear()
        self.cloud, self.triggers = cloud, Triggers(cloud, _publish)

    def deleting(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def delete_repository(backend: CodeCommitBackend, repository_name: str) -> Any:
            repository_store.remove(backend.account_id, backend.region_name, repository_name)
            return stock(backend, repository_name)

        return delete_repository

    # -- triggers ---------------------------------------------------------------------------------------

    def put_repository_triggers(self, response: CodeCommitResponse) -> dict[str, Any]:
        known, asked = _known(response), _asked(response)
        check(asked, response.region)
        known.triggers, known.configuration = asked, self.cloud.clock.uuid()
        return {"configurationId": known.configuration}

    def get_repository_triggers(self, response: CodeCommitResponse) -> dict[str, Any]:
        known = _known(response)
        return {"configurationId": known.configuration, "triggers": [{
            "name": one.name, "destinationArn": one.destination, "customData": one.custom_data or "",
            "branches": list(one.branches), "events": list(one.events)} for one in known.triggers]}

    def test_repository_triggers(self, response: CodeCommitResponse) -> dict[str, Any]:
        known, asked = _known(response), _asked(response)
        check(asked, response.region)
        done, failed = [], []
        for one in asked:
            repository = known.repository
            branch = (one.branches or (repository.default or "main",))[0]
            reason = self.triggers.test(one, known.configuration or self.cloud.clock.uuid(), self._change(
                response, "updateReference", branch, repository.branches.get(branch, "0" * 40)))
            if reason is None:
                done.append(one.name)
            else:
                failed.append({"trigger": one.name, "failureMessage": reason})
        return {"successfulExecutions": done, "failedExecutions": failed}

    # -- commits ----------------------------------------------------------------------------------------

    def create_commit(self, response: CodeCommitResponse) -> dict[str, Any]:
        get, known = response._get_param, _known(response)
        for name in ("keepEmptyFolders", "setFileModes"):
            if get(name):
                refuse(f"{name} of CreateCommit")
        put = {}
        for one in get("putFiles") or []:
            if one.get("sourceFile") or one.get("fileMode", "NORMAL") != "NORMAL":
                refuse("source files and modes of files in CreateCommit")
            put[one["filePath"]] = b64decode(one.get("fileContent") or "")
        deleted = [one["filePath"] for one in get("deleteFiles") or []]
        tip = known.repository.branches.get(get("branchName"))
        before = known.repository.get(tip).files if tip else {}
        files = {name: [{"absolutePath": path, "blobId": blob(content), "fileMode": "NORMAL"}
                        for path, content in some.items()]
                 for name, some in (
                     ("filesAdded", {path: one for path, one in put.items() if path not in before}),
                     ("filesUpdated", {path: one for path, one in put.items()
                                       if path in before and before[path] != one}),
                     ("filesDeleted", {path: before[path] for path in deleted if path in before}))}
        commit = self._commit(response, put, deleted, get("authorName"))
        return {"commitId": commit, "treeId": known.repository.get(commit).tree, **files}

    def put_file(self, response: CodeCommitResponse) -> dict[str, Any]:
        get, known = response._get_param, _known(response)
        if (get("fileMode") or "NORMAL") != "NORMAL":
            refuse("modes of files in PutFile")
        path, body = get("filePath"), b64decode(get("fileContent") or "")
        tip = known.repository.branches.get(get("branchName"))
        if tip and known.repository.get(tip).files.get(path) == body:
            raise Refused("SameFileContentException", f"{path} has this content already")
        commit = self._commit(response, {path: body}, [], get("name"))
        return {"commitId": commit, "blobId": blob(body), "treeId": known.repository.get(commit).tree}

    def delete_file(self, response: CodeCommitResponse) -> dict[str, Any]:
        get, known = response._get_param, _known(response)
        if get("keepEmptyFolders"):
            refuse("keepEmptyFolders of DeleteFile")
        path = get("filePath")
        tip = known.repository.branches.get(get("branchName"))
        former = known.repository.get(tip).files.get(path, b"") if tip else b""
        commit = self._commit(response, {}, [path], get("name"))
        return {"commitId": commit, "blobId": blob(former), "filePath": path,
                "treeId": known.repository.get(commit).tree}

    def get_file(self, response: CodeCommitResponse) -> dict[str, Any]:
        known, path = _known(response), response._get_param("filePath")
        commit = known.repository.resolve(response._get_param("commitSpecifier"))
        files = known.repository.get(commit).files
        if path not in files:
            raise Refused("FileDoesNotExistException", f"{path} does not exist")
        return {"commitId": commit, "blobId": blob(files[path]), "filePath": path, "fileMode": "NORMAL",
                "fileSize": len(files[path]), "fileContent": b64encode(files[path]).decode()}

    def get_commit(self, response: CodeCommitResponse) -> dict[str, Any]:
        commit = response._get_param("commitId")
        found = _known(response).repository.get(commit)
        author = {"name": found.author.name, "email": found.author.email,
                  "date": f"{found.author.seconds} +0000"}
        return {"commit": {"commitId": commit, "treeId": found.tree, "parents": list(found.parents),
                           "message": found.message, "author": author, "committer": author,
                           "additionalData": ""}}

    def create_branch(self, response: CodeCommitResponse) -> dict[str, Any]:
        known, name = _known(response), response._get_param("branchName")
        known.repository.create_branch(name, response._get_param("commitId"))
        self._tell(response, "createReference", name, known.repository.branches[name])
        return {}

    def delete_branch(self, response: CodeCommitResponse) -> dict[str, Any]:
        name = response._get_param("branchName")
        tip = _known(response).repository.delete_branch(name)
        if tip is None:
            return {}
        self._tell(response, "deleteReference", name, tip)
        return {"deletedBranch": {"branchName": name, "commitId": tip}}

    def get_branch(self, response: CodeCommitResponse) -> dict[str, Any]:
        name = response._get_param("branchName")
        return {"branch": {"branchName": name, "commitId": _known(response).repository.tip(name)}}

    def list_branches(self, response: CodeCommitResponse) -> dict[str, Any]:
        return {"branches": sorted(_known(response).repository.branches)}

    # -- details ----------------------------------------------------------------------------------------

    def _commit(self, response: CodeCommitResponse, put: dict[str, bytes], deleted: list[str],
                author: str | None) -> str:
        get, known = response._get_param, _known(response)
        branch = get("branchName")
        kind = "updateReference" if branch in known.repository.branches else "createReference"
        commit = known.repository.commit(
            branch, get("parentCommitId"), put, deleted,
            Author(author or "root", get("email") or "", int(self.cloud.clock.now.timestamp())),
            get("commitMessage") or "")
        self._tell(response, kind, branch, commit)
        return commit

    def _tell(self, response: CodeCommitResponse, event: str, branch: str, commit: str) -> None:
        known = _known(response)
        self.triggers.happened(known.triggers, known.configuration,
                               self._change(response, event, branch, commit))

    def _change(self, response: CodeCommitResponse, event: str, branch: str, commit: str) -> Change:
        name, account, region = (response._get_param("repositoryName"), response.current_account,
                                 response.region)
        function, principal = asking.get().function, f"arn:aws:iam::{account}:root"
        if function:
            role = self.cloud.registry.get(account, region, function, None).role.rpartition("/")[2]
            principal = f"arn:aws:sts::{account}:assumed-role/{role}/{function}"
        return Change(f"arn:aws:codecommit:{region}:{account}:{name}", account, region, event,
                      f"refs/heads/{branch}", commit, principal)


def _known(response: CodeCommitResponse) -> Known:
    name = response._get_param("repositoryName")
    if name not in response.codecommit_backend.repositories:
        raise RepositoryDoesNotExistException(name)
    return repository_store.known(response.current_account, response.region, name)


def _asked(response: CodeCommitResponse) -> list[Trigger]:
    return [Trigger(one["name"], one["destinationArn"], tuple(one.get("branches") or ()),
                    tuple(one.get("events") or ()), one.get("customData") or None)
            for one in response._get_param("triggers") or []]


def _answering(method: Callable[[CodeCommitResponse], dict[str, Any]]
               ) -> Callable[[CodeCommitResponse], str]:
    def answer(response: CodeCommitResponse) -> str:
        try:
            return json.dumps(method(response))
        except Refused as refused:
            error = JsonRESTError(refused.code, refused.message)
            error.code = 400
            raise error from refused

    return answer


def _publish(topic: str, body: str) -> None:
    _, _, _, region, account, _ = topic.split(":", 5)
    with as_service("codecommit", NotPublished):
        sns_backends[account][region].publish(body, topic, subject="AWS CodeCommit event")
