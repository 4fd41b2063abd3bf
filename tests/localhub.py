"""An in-memory Hugging Face Hub on 127.0.0.1, which the real huggingface_hub client takes for the Hub.

    with LocalHub() as hub:
        subprocess.run([sys.executable, "push.py"], env=client_environment(hub.url, tmp_path, token="hf_writer"))
        assert "README.md" in hub.repos["models/ann/songs"].head.files

Models and Spaces, branches and tags, private repositories, LFS without Xet. Pull requests and datasets are left out.
"""

import base64
import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import parse_qs, unquote

FAULTS = ("hang", "slow", "wrong", "truncated")  # and '400' to '599'
LFS_SUFFIXES = (".safetensors", ".npy")
GITATTRIBUTES = b"".join(b"*%s filter=lfs diff=lfs merge=lfs -text\n" % suffix.encode() for suffix in LFS_SUFFIXES)


def client_environment(hub_url: str, home: Path, token: str | None = None, **more: str) -> dict[str, str]:
    """The environment for a process whose client talks to the Hub at `hub_url`; it reads HF_* only when imported.

    Neither this process's HF_* variables (token, offline mode, caches) nor its proxies are passed on. `home` becomes
    HF_HOME, so that cache and saved token are the process's own; `more` comes on top.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "HUGGING")) and not name.upper().endswith("_PROXY")
    }
    settings = {"HF_ENDPOINT": hub_url, "HF_HOME": str(home)}
    settings |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return kept | settings | ({"HF_TOKEN": token} if token is not None else {}) | more


@dataclass(frozen=True)
class Commit:
    """A commit: its oid (40 hexadecimal digits), its message, and all files of the tree, by path."""

    oid: str
    message: str
    files: dict[str, bytes]


@dataclass
class Repo:
    """A repository. As on the Hub it begins with a commit that holds .gitattributes alone."""

    id: str  # 'USER/NAME'
    type: str  # 'model' or 'space'
    private: bool = False
    sdk: str | None = None  # of a Space
    variables: dict[str, str] = field(default_factory=dict)  # of a Space
    commits: list[Commit] = field(default_factory=list)  # of all branches, oldest first
    branches: dict[str, str] = field(default_factory=dict)  # name -> oid
    tags: dict[str, str] = field(default_factory=dict)  # name -> oid

    def __post_init__(self) -> None:
        self.commit("main", "initial commit", {".gitattributes": GITATTRIBUTES})

    @property
    def head(self) -> Commit:
        """The newest commit of main."""
        return self.at("main")

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or an oid names; KeyError where there is none."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return {commit.oid: commit for commit in self.commits}[oid]

    def commit(self, branch: str, message: str, files: dict[str, bytes]) -> Commit:
        """Make a commit whose tree is `files`, and move `branch` there."""
        identity = repr((self.type, self.id, len(self.commits), message, sorted(files.items())))
        self.commits.append(Commit(hashlib.sha1(identity.encode()).hexdigest(), message, files))
        self.branches[branch] = self.commits[-1].oid
        return self.commits[-1]


class LocalHub:
    """The Hub: what it holds, what it was asked, and how it is to fail.

    Args:
        tokens: who may write and see private repositories; 'hf_ann' is the user ann. With no token, or another,
            public repositories can be read.
        lfs: whether *.safetensors and *.npy go through LFS; the others, and empty files, never do.

    Attributes:
        url: where it listens, from the first start() on; a later start() comes back there.
        repos: by 'models/USER/NAME' or 'spaces/USER/NAME'.
        requests: 'METHOD /path' of each request, in order, without query. `from huggingface_hub import *` makes
            one of its own, for /api/agent-harnesses.
        fault_on: the fault strikes only the requests whose line in `requests` this regular expression is found in.
    """

    def __init__(self, tokens: Iterable[str] = ("hf_writer",), lfs: bool = False) -> None:
        self.users = {token: token.removeprefix("hf_") for token in tokens}
        self.lfs = lfs
        self.url = ""
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}  # LFS contents by sha256
        self.requests: list[str] = []
        self.fault_on = ""
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # held while a request reads or changes the above
        self._fault: str | None = None
        self._server: _Server | None = None

    @property
    def fault(self) -> str | None:
        """How requests fail; None: not at all. It may be changed at any time.

        'hang' accepts a request and answers it only when the fault is cleared, or never, when the Hub stops. 'slow'
        answers after a second. '500', '401' and the like are that status. 'wrong' changes a byte in the middle of
        files; 'truncated' sends their first half, with a Content-Length that agrees. HEAD and GET must both be
        struck for the client to believe in a truncated file.
        """
        return self._fault

    @fault.setter
    def fault(self, fault: str | None) -> None:
        if fault not in (None, *FAULTS) and not re.fullmatch(r"[45]\d\d", fault):
            raise ValueError(
                f"fault must be None, a status from 400 to 599, or one of {', '.join(FAULTS)}, got {fault!r}"
            )
        self._fault = fault

    def start(self) -> None:
        """Listen: on a free port the first time, later on the same one. What the Hub holds is kept."""
        self.stopping.clear()
        self._server = _Server(self, int(self.url.rpartition(":")[2] or 0))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Refuse connections, and drop the open ones, hanging or not; no thread is left. Again: nothing happens.

        Raises:
            Exception: the first that a request has met in this Hub's own code.
        """
        server, self._server = self._server, None
        if server is not None:
            self.stopping.set()
            server.stop()
            for error in server.errors:
                raise error

    def __enter__(self) -> "LocalHub":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def is_lfs(self, path: str, content: bytes) -> bool:
        """Whether this file is kept in LFS."""
        return self.lfs and path.endswith(LFS_SUFFIXES) and content != b""

    def oid(self, path: str, content: bytes) -> str:
        """What the client compares with its own file, and the ETag: sha256 for LFS, else git's sha1 of the blob."""
        return hashlib.sha256(content).hexdigest() if self.is_lfs(path, content) else _blob_oid(content)


class _Server(ThreadingHTTPServer):
    """A thread a request, all of which end in stop()."""

    daemon_threads = False  # so that server_close() waits for them
    request_queue_size = 64

    def __init__(self, hub: LocalHub, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.hub = hub
        self.errors: list[BaseException] = []
        self.connections: set[socket] = set()
        self.loop = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.loop.start()

    def process_request(self, request: socket, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: socket, client_address: Any) -> None:
        error = sys.exception()
        if not isinstance(error, ConnectionError):  # which is a client that went away
            self.errors.append(error)

    def stop(self) -> None:
        self.shutdown()
        self.loop.join()
        for connection in list(self.connections):
            try:
                connection.shutdown(SHUT_RDWR)  # ends a thread that reads from it
            except OSError:
                continue  # closed meanwhile
        self.server_close()


@dataclass
class _Answer:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    is_file: bool = False


class _Refusal(Exception):
    """An error, as the Hub answers it: X-Error-Code decides which exception the client raises."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        named = (
            {"X-Error-Message": message.encode("ascii", "replace").decode()}
            | ({"X-Error-Code": code} if code else {})
            | headers
        )
        self.answer = _json({"error": message}, status, **named)


def _json(value: Any, status: int = 200, **headers: str) -> _Answer:
    return _Answer(json.dumps(value).encode(), {"Content-Type": "application/json", **headers}, status)


def _blob_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """One request. The methods that ROUTES names answer it; each takes the named groups of its path."""

    server: _Server

    def do_GET(self) -> None:
        """Answer a request of any method, with the fault that strikes it."""
        self.hub = self.server.hub
        path, _, query = self.path.partition("?")
        self.query = parse_qs(query)
        self.token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = f"{self.command} {path}"
        self.hub.requests.append(line)

        fault = self.hub.fault if re.search(self.hub.fault_on, line) else None
        if fault == "slow":
            self.hub.stopping.wait(1)
        while fault == "hang" and self.hub.fault == "hang" and not self.hub.stopping.wait(0.02):
            pass
        if self.hub.stopping.is_set():
            return

        try:
            if fault and fault.isdigit():
                raise _Refusal(int(fault), "Invalid credentials in Authorization header" if fault == "401" else "Fault")
            with self.hub.lock:
                answer = self.route(path)
        except _Refusal as refusal:
            answer = refusal.answer

        middle = len(answer.body) // 2
        if answer.is_file and fault == "truncated":
            answer.body = answer.body[:middle]
        elif answer.is_file and fault == "wrong" and answer.body:
            answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: `requests` is the log."""

    def route(self, path: str) -> _Answer:
        method = "GET" if self.command == "HEAD" else self.command
        for route_method, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == route_method:
                return answer(self, **{name: unquote(value) for name, value in match.groupdict().items() if value})
        raise _Refusal(404, f"This Hub has no {method} {path}")

    # What the answers begin with: who asks, for which repository, which commit.

    def user(self) -> str | None:
        return self.hub.users.get(self.token)

    def repo(self, kind: str, id: str, write: bool = False) -> Repo:
        """The repository, if whoever asks may see it. A private one is answered as one that is not there."""
        repo = self.hub.repos.get(f"{kind}/{id}")
        if self.user() and repo:
            return repo
        if not self.token and (write or repo is None or repo.private):
            # Over https the client takes any 401 of a repository for this code; over http it needs to be told.
            raise _Refusal(401, "Invalid username or password.", "RepoNotFound")
        if repo is None or repo.private:
            raise _Refusal(404, "Repository not found", "RepoNotFound")
        if write:
            raise _Refusal(403, f"You don't have the rights to write to {id}")
        return repo

    def commit_of(self, repo: Repo, revision: str) -> Commit:
        try:
            return repo.at(revision)
        except KeyError:
            raise _Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound") from None

    def web_url(self, repo: Repo) -> str:
        return f"{self.hub.url}/{'spaces/' if repo.type == 'space' else ''}{repo.id}"

    # Users and repositories

    def whoami(self) -> _Answer:
        if not self.user():
            raise _Refusal(401, "Invalid username or password.")
        return _json({"type": "user", "name": self.user(), "orgs": [], "auth": {"type": "access_token"}})

    def create_repo(self) -> _Answer:
        if not self.user():
            raise _Refusal(403 if self.token else 401, "You don't have the rights to create a repository")
        asked = json.loads(self.body)
        repo_type = asked.get("type") or "model"
        if repo_type not in ("model", "space") or (repo_type == "space") != ("sdk" in asked):
            raise _Refusal(400, f"This Hub makes no {repo_type} of {asked}")
        repo = Repo(
            id=f"{asked.get('organization') or self.user()}/{asked['name']}",
            type=repo_type,
            private=asked.get("visibility") == "private" or bool(asked.get("private")),
            sdk=asked.get("sdk"),
        )
        answer = {"url": self.web_url(repo), "name": repo.id}
        if f"{repo_type}s/{repo.id}" in self.hub.repos:
            return _json({"error": f"You already created this {repo_type} repo", **answer}, 409)
        self.hub.repos[f"{repo_type}s/{repo.id}"] = repo
        return _json(answer)

    def delete_repo(self) -> _Answer:
        asked = json.loads(self.body)
        kind, id = f"{asked.get('type') or 'model'}s", f"{asked.get('organization') or self.user()}/{asked['name']}"
        self.repo(kind, id, write=True)
        del self.hub.repos[f"{kind}/{id}"]
        return _json({})

    def variables(self, id: str) -> _Answer:
        repo, asked = self.repo("spaces", id, write=True), json.loads(self.body or "{}")
        if self.command == "POST":
            repo.variables[asked["key"]] = asked["value"]
        elif self.command == "DELETE":
            del repo.variables[asked["key"]]
        return _json({key: {"value": value} for key, value in repo.variables.items()})

    def agent_harnesses(self) -> _Answer:
        return _json({"harnesses": {}, "standardEnvVars": []})

    def validate_yaml(self) -> _Answer:
        return _json({"errors": [], "warnings": []})

    def repo_info(self, kind: str, id: str, revision: str = "main") -> _Answer:
        repo = self.repo(kind, id)
        commit = self.commit_of(repo, revision)
        siblings: list[dict] = [{"rfilename": path} for path in sorted(commit.files)]
        for sibling in siblings if "blobs" in self.query else ():
            entry = self.tree_entry(sibling["rfilename"], commit)
            sibling |= {"size": entry["size"], "blobId": entry["oid"]}
            if "lfs" in entry:
                sibling["lfs"] = {**entry["lfs"], "sha256": entry["lfs"]["oid"]}
        info = {"id": id, "author": id.split("/")[0], "sha": commit.oid, "private": repo.private, "siblings": siblings}
        return _json(info | {"gated": False, "disabled": False, "tags": []} | ({"sdk": repo.sdk} if repo.sdk else {}))

    # References

    def refs(self, kind: str, id: str) -> _Answer:
        repo = self.repo(kind, id)

        def listed(references: dict[str, str], folder: str) -> list[dict]:
            return [{"name": n, "ref": f"refs/{folder}/{n}", "targetCommit": oid} for n, oid in references.items()]

        branches, tags = listed(repo.branches, "heads"), listed(repo.tags, "tags")
        return _json({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})

    def create_tag(self, kind: str, id: str, revision: str) -> _Answer:
        repo = self.repo(kind, id, write=True)
        return self.add_reference(repo.tags, json.loads(self.body)["tag"], self.commit_of(repo, revision))

    def create_branch(self, kind: str, id: str, branch: str) -> _Answer:
        repo = self.repo(kind, id, write=True)
        revision = json.loads(self.body or "{}").get("startingPoint", "main")
        return self.add_reference(repo.branches, branch, self.commit_of(repo, revision))

    def delete_branch(self, kind: str, id: str, branch: str) -> _Answer:
        if self.repo(kind, id, write=True).branches.pop(branch, None) is None:
            raise _Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        return _json({})

    def add_reference(self, references: dict[str, str], name: str, commit: Commit) -> _Answer:
        if name in references:
            raise _Refusal(409, f"Reference {name} exists already")
        references[name] = commit.oid
        return _json({"name": name, "targetCommit": commit.oid}, 201)

    # Files

    def tree_entry(self, path: str, commit: Commit) -> dict[str, Any]:
        """A file or a folder of the commit, as in the Hub's listings; KeyError where there is neither."""
        if any(name.startswith(f"{path}/") for name in commit.files):
            oid = hashlib.sha1(f"{commit.oid} {path}".encode()).hexdigest()
            return {"type": "directory", "path": path, "size": 0, "oid": oid}
        content = commit.files[path]
        entry = {"type": "file", "path": path, "size": len(content), "oid": _blob_oid(content)}
        if not self.hub.is_lfs(path, content):
            return entry
        sha256 = self.hub.oid(path, content)
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n".encode()
        lfs = {"oid": sha256, "size": len(content), "pointerSize": len(pointer)}
        return {**entry, "oid": _blob_oid(pointer), "lfs": lfs}

    def tree(self, kind: str, id: str, revision: str, folder: str = "") -> _Answer:
        commit = self.commit_of(self.repo(kind, id), revision)
        recursive = self.query.get("recursive", [""])[0].lower() in ("true", "1")
        names = {str(name) for path in commit.files for name in (PurePosixPath(path), *PurePosixPath(path).parents)}
        prefix = f"{folder}/" if folder else ""
        below = sorted(name for name in names - {"."} if name.startswith(prefix))
        if not below and folder:
            raise _Refusal(404, f"{folder} does not exist on {revision!r}", "EntryNotFound")
        return _json([self.tree_entry(n, commit) for n in below if recursive or "/" not in n.removeprefix(prefix)])

    def paths_info(self, kind: str, id: str, revision: str) -> _Answer:
        commit = self.commit_of(self.repo(kind, id), revision)
        entries = []
        for path in parse_qs(self.body.decode()).get("paths", []):
            try:
                entries.append(self.tree_entry(path, commit))
            except KeyError:
                continue  # the Hub leaves out what is not there
        return _json(entries)

    def resolve(self, id: str, revision: str, path: str, kind: str = "models") -> _Answer:
        commit = self.commit_of(self.repo(kind, id), revision)
        named = {"X-Repo-Commit": commit.oid}
        if path not in commit.files:
            raise _Refusal(404, "Entry not found", "EntryNotFound", **named)
        content = commit.files[path]
        return _Answer(content, {**named, "ETag": f'"{self.hub.oid(path, content)}"'}, is_file=True)

    # Pushing: preupload tells how to send each file, LFS takes the big ones, commit the others and the names.

    def preupload(self, kind: str, id: str, revision: str) -> _Answer:
        present = self.commit_of(self.repo(kind, id, write=True), revision).files
        answers = []
        for file in json.loads(self.body)["files"]:
            path = file["path"]
            mode = "lfs" if self.hub.lfs and path.endswith(LFS_SUFFIXES) else "regular"
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False})
            if path in present:  # with its oid the client leaves out what has not changed, and an empty commit
                answers[-1]["oid"] = self.hub.oid(path, present[path])
        return _json({"files": answers})

    def lfs_batch(self, id: str, kind: str = "models") -> _Answer:
        self.repo(kind, id, write=True)
        objects = []
        for asked in json.loads(self.body)["objects"]:
            objects.append({"oid": asked["oid"], "size": asked["size"]})
            if asked["oid"] not in self.hub.objects:
                href = f"{self.hub.url}/lfs/{asked['oid']}"
                objects[-1]["actions"] = {"upload": {"href": href}, "verify": {"href": f"{href}/verify"}}
        return _json({"transfer": "basic", "objects": objects})

    def lfs_upload(self, oid: str) -> _Answer:
        """Take a content. There is no token, as in the Hub's signed addresses."""
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise _Refusal(400, f"The content's sha256 is not {oid}")
        self.hub.objects[oid] = self.body
        return _json({})

    def lfs_verify(self, oid: str) -> _Answer:
        if len(self.hub.objects.get(oid, b"")) != json.loads(self.body)["size"]:
            raise _Refusal(404, f"There is no object {oid} of this size")
        return _json({})

    def commit(self, kind: str, id: str, revision: str) -> _Answer:
        repo = self.repo(kind, id, write=True)
        if "create_pr" in self.query:
            raise _Refusal(400, "This Hub has no pull requests")
        if revision not in repo.branches:
            raise _Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        operations = [json.loads(line) for line in self.body.splitlines()]
        header = next(operation["value"] for operation in operations if operation["key"] == "header")
        if not repo.branches[revision].startswith(header.get("parentCommit", "")):
            raise _Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.at(revision).files)
        for operation in operations:
            self.apply(operation["key"], operation["value"], files)
        made = repo.commit(revision, header["summary"], files)
        return _json({"success": True, "commitOid": made.oid, "commitUrl": f"{self.web_url(repo)}/commit/{made.oid}"})

    def apply(self, key: str, value: dict[str, Any], files: dict[str, bytes]) -> None:
        """One line of a commit, done to `files`."""
        path = value.get("path", "").rstrip("/")
        if key == "file":
            files[path] = base64.b64decode(value["content"])
        elif key == "lfsFile" and value["oid"] in self.hub.objects:
            files[path] = self.hub.objects[value["oid"]]
        elif key in ("deletedFile", "deletedFolder"):
            gone = [name for name in files if name == path or name.startswith(f"{path}/")]
            if not gone or (key == "deletedFile") != (gone == [path]):
                raise _Refusal(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in gone:
                del files[name]
        elif key != "header":
            raise _Refusal(400, f"This Hub cannot do {key} of {path or value}")


API = r"/api/(?P<kind>models|spaces)/(?P<id>[^/]+/[^/]+)"
WEB = r"/(?:(?P<kind>spaces)/)?(?P<id>[^/]+/[^/]+)"
REVISION = r"(?P<revision>[^/]+)"
ROUTES = (
    ("GET", "/api/whoami-v2", _Handler.whoami),
    ("GET", "/api/agent-harnesses", _Handler.agent_harnesses),
    ("POST", "/api/repos/create", _Handler.create_repo),
    ("DELETE", "/api/repos/delete", _Handler.delete_repo),
    *(
        (method, "/api/spaces/(?P<id>[^/]+/[^/]+)/variables", _Handler.variables)
        for method in ("GET", "POST", "DELETE")
    ),
    ("POST", "/api/validate-yaml", _Handler.validate_yaml),
    ("GET", API, _Handler.repo_info),
    ("GET", f"{API}/revision/{REVISION}", _Handler.repo_info),
    ("GET", f"{API}/refs", _Handler.refs),
    ("POST", f"{API}/tag/{REVISION}", _Handler.create_tag),
    ("POST", f"{API}/branch/(?P<branch>[^/]+)", _Handler.create_branch),
    ("DELETE", f"{API}/branch/(?P<branch>[^/]+)", _Handler.delete_branch),
    ("GET", f"{API}/tree/{REVISION}(?:/(?P<folder>.+))?", _Handler.tree),
    ("POST", f"{API}/paths-info/{REVISION}", _Handler.paths_info),
    ("POST", f"{API}/preupload/{REVISION}", _Handler.preupload),
    ("POST", f"{API}/commit/{REVISION}", _Handler.commit),
    ("GET", f"{WEB}/resolve/{REVISION}/(?P<path>.+)", _Handler.resolve),
    ("POST", rf"{WEB}\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", _Handler.lfs_upload),
    ("POST", "/lfs/(?P<oid>[0-9a-f]{64})/verify", _Handler.lfs_verify),
)


def asked_of(hub: LocalHub) -> list[str]:
    """What the Hub was asked, but for what the client asks of itself when it is imported."""
    return [line for line in hub.requests if "harnesses" not in line]


def state(hub: LocalHub) -> dict:
    """All that the Hub holds, to be compared."""
    return {
        name: (repo.private, dict(repo.branches), dict(repo.tags), dict(repo.variables), list(repo.commits))
        for name, repo in hub.repos.items()
    }
