"""What is in a repository of CodeCommit: branches, commits, files.

Stands for: CreateCommit, PutFile, DeleteFile, CreateBranch, DeleteBranch and what reads them. AWS pages of
these names.
Leaves out: everything that needs git's own protocol (a push, tags, which only a push makes), merges, file
modes other than NORMAL.

The ids are git's own: the SHA-1 of the object, as ``git hash-object`` has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class Refused(Exception):
    """A request that CodeCommit refuses. ``code``: its error's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str
    seconds: int  # since 1970

    @property
    def line(self) -> str:
        return f"{self.name} <{self.email}> {self.seconds} +0000"


@dataclass(frozen=True, slots=True)
class Commit:
    files: Mapping[str, bytes]  # all there are, by path
    parents: tuple[str, ...]
    author: Author
    message: str

    @property
    def tree(self) -> str:
        return _tree(self.files)

    @property
    def id(self) -> str:
        lines = [f"tree {self.tree}", *(f"parent {one}" for one in self.parents),
                 f"author {self.author.line}", f"committer {self.author.line}", "", self.message]
        return _hash("commit", "\n".join(lines).encode())


@dataclass(slots=True)
class Repository:
    """The first branch that is made is its default branch."""

    branches: dict[str, str] = field(default_factory=dict)  # name -> id of a commit
    commits: dict[str, Commit] = field(default_factory=dict)
    default: str | None = None

    def commit(self, branch: str, parent: str | None, put: Mapping[str, bytes], delete: Iterable[str],
               author: Author, message: str) -> str:
        """Add a commit to a branch; the first one makes it. Value: its id.

        Raises:
            Refused: the branch isn't there, has moved on from ``parent``, or nothing would change.
        """
        tip = self.branches.get(branch)
        if tip is None and self.commits:
            raise Refused("BranchDoesNotExistException", f"{branch} does not exist")
        if tip is not None and parent is None:
            raise Refused("ParentCommitIdRequiredException",
                          "A parent commit ID is required because this is not the first commit")
        if parent != tip:
            raise Refused("ParentCommitIdOutdatedException",
                          f"The parent commit ID is not the latest one of the branch, which is {tip}")
        files = dict(self.commits[tip].files) if tip else {}
        before = dict(files)
        for path in delete:
            if files.pop(path, None) is None:
                raise Refused("FileDoesNotExistException", f"{path} does not exist")
        for path, content in put.items():
            if path.startswith("/") or path.endswith("/") or "" in path.split("/"):
                raise Refused("InvalidPathException", f"The path is not valid: {path}")
            files[path] = content
        for path in put:
            folders = ["/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
            if any(one in files for one in folders):
                raise Refused("DirectoryNameConflictsWithFileNameException",
                              f"A folder of {path} is the name of a file")
            if any(one.startswith(f"{path}/") for one in files):
                raise Refused("FileNameConflictsWithDirectoryNameException",
                              f"{path} is the name of a folder")
        if files == before:
            raise Refused("NoChangeException", "The commit would change nothing")
        made = Commit(files, (tip,) if tip else (), author, message)
        self.commits[made.id] = made
        self.branches[branch] = made.id
        self.default = self.default or branch
        return made.id

    def create_branch(self, name: str, commit: str) -> None:
        if name in self.branches:
            raise Refused("BranchNameExistsException", f"{name} already exists")
        self.get(commit)
        self.branches[name] = commit
        self.default = self.default or name

    def delete_branch(self, name: str) -> str | None:
        """Value: the commit at its tip; None if there was no such branch."""
        if name == self.default:
            raise Refused("DefaultBranchCannotBeDeletedException",
                          f"{name} is the default branch, which cannot be deleted")
        return self.branches.pop(name, None)

    def tip(self, branch: str) -> str:
        if branch not in self.branches:
            raise Refused("BranchDoesNotExistException", f"{branch} does not exist")
        return self.branches[branch]

    def get(self, commit: str) -> Commit:
        if commit not in self.commits:
            raise Refused("CommitIdDoesNotExistException", f"{commit} does not exist")
        return self.commits[commit]

    def resolve(self, specifier: str | None) -> str:
        """A commit by its id, a branch, ``refs/heads/…`` or (None) the default branch."""
        name = (specifier or self.default or "").removeprefix("refs/heads/")
        found = self.branches.get(name) or (name if name in self.commits else None)
        if found is None:
            raise Refused("CommitDoesNotExistException", f"{name} does not exist")
        return found


def blob(content: bytes) -> str:
    """The id of a file's content."""
    return _hash("blob", content)


def _tree(files: Mapping[str, bytes]) -> str:
    entries: dict[str, dict[str, bytes] | bytes] = {}
    for path, content in files.items():
        first, _, rest = path.partition("/")
        if rest:
            folder = entries.setdefault(first, {})
            assert isinstance(folder, dict)
            folder[rest] = content
        else:
            entries[first] = content
    lines = []
    # git sorts a folder as if its name ended with a slash.
    for name, one in sorted(entries.items(), key=lambda entry: entry[0] + (
            "/" if isinstance(entry[1], dict) else "")):
        mode, found = ("40000", _tree(one)) if isinstance(one, dict) else ("100644", blob(one))
        lines.append(f"{mode} {name}\0".encode() + bytes.fromhex(found))
    return _hash("tree", b"".join(lines))


def _hash(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
