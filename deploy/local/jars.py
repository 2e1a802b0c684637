"""The Java parts' files, by a committed lock file: every file's coordinate and its SHA-256.

A file that is not what the lock says is never used. ``python -m deploy.local lock`` writes the lock anew, after a
version below was changed; the review then sees what came with it.
"""

import fcntl
import hashlib
import os
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests
from jgo.maven import Dependency, MavenContext

from deploy.local.progress import Failed, Say

LOCK = Path(__file__).with_name("jars.lock.toml")

#: What each part is asked for by name; the lock adds what these need.
WANTED: Mapping[str, Sequence[str]] = {
    "mongo": (
        "de.bwaldvogel:mongo-java-server-h2-backend:1.47.0",
        "org.slf4j:slf4j-simple:1.7.36",
        "org.eclipse.jdt:ecj:3.43.0",  # compiles MongoStore.java
    ),
    "kafka": ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36"),
    "keycloak": ("org.keycloak:keycloak-quarkus-dist:26.7.3::zip",),
    "zipkin": ("io.zipkin:zipkin-server:3.6.1:exec",),
}
ALONE = {"keycloak", "zipkin"}  # one file has it all inside: what it declares besides is not asked for

TRIES = 3
AT_ONCE = 8
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Jar:
    """One locked file. The coordinate is ``group:artifact:version:classifier:packaging``."""

    coordinate: str
    sha256: str


def folder() -> Path:
    """Where the files are kept, for all clones and profiles: TYRSKY_JARS, or the user's cache."""
    return Path(os.environ.get("TYRSKY_JARS") or Path.home() / ".cache" / "tyrsky" / "jars")


def locked(part: str, lock: Path = LOCK) -> list[Jar]:
    """What the lock names for a part."""
    return [Jar(**row) for row in tomllib.loads(lock.read_text())[part]]


def paths(part: str) -> list[Path]:
    """Where a part's files lie, or will, in class path order."""
    context = _context(folder() / part)
    return [_path(_dependency(context, jar.coordinate)) for jar in locked(part)]


def class_path(part: str) -> str:
    """For ``java -cp``."""
    return os.pathsep.join(str(path) for path in paths(part))


def fetch(part: str, say: Say) -> None:
    """Bring a part's missing files, and verify every one. Raises Failed, naming the file."""
    into = folder() / part
    into.mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make up` and `make test` may both be at it
        fetch_all(locked(part), say, into)


def fetch_all(jars: Sequence[Jar], say: Say, into: Path) -> None:
    """``fetch``, of any list into any folder."""
    context = _context(into)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, name in enumerate(pool.map(partial(_fetch_one, context), jars), 1):
            say(f"{name} ({number} of {len(jars)} files)")


def _fetch_one(context: MavenContext, jar: Jar) -> str:
    dependency = _dependency(context, jar.coordinate)
    path = _path(dependency)
    if path.exists() and _sha256(path) != jar.sha256:
        path.unlink()  # cut short by an earlier run, or altered since: bring it again
    if not path.exists():
        _download(dependency)
    if (found := _sha256(path)) != jar.sha256:
        path.unlink()
        raise Failed(f"{path.name}: its SHA-256 is {found}, the lock says {jar.sha256}; it was deleted")
    return path.name


def write_lock(say: Say, lock: Path = LOCK) -> None:
    """Resolve what is wanted and write down every file's checksum."""
    lines = ["# Written by `python -m deploy.local lock`."]
    for part, coordinates in WANTED.items():
        say(part)
        context = _context(folder() / part)
        asked = [context.create_dependency(coordinate) for coordinate in coordinates]
        needed = [] if part in ALONE else context.resolver.resolve(asked)[1]
        lines += ["", f"{part} = ["]
        lines += [_row(dependency) for dependency in [*asked, *needed]]
        lines += ["]"]
    lock.write_text("\n".join(lines) + "\n")


def _row(dependency: Dependency) -> str:
    artifact = dependency.artifact
    parts = (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier, artifact.packaging)
    return f'    {{ coordinate = "{":".join(parts)}", sha256 = "{_sha256(artifact.resolve())}" }},'


def _context(into: Path) -> MavenContext:
    mirror = os.environ.get("TYRSKY_MAVEN_MIRROR")
    remotes = {"mirror": mirror.rstrip("/")} if mirror else None  # None: the public registry
    return MavenContext(repo_cache=into, remote_repos=remotes, timeout=TIMEOUT_SECONDS)


def _dependency(context: MavenContext, coordinate: str) -> Dependency:
    group, artifact, version, classifier, packaging = coordinate.split(":")
    component = context.project(group, artifact).at_version(version)
    return Dependency(component.artifact(classifier, packaging))


def _path(dependency: Dependency) -> Path:
    path = dependency.artifact.cached_path
    assert path is not None  # the context always has a folder
    return path


def _download(dependency: Dependency) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            dependency.artifact.resolve()
            return
        except (requests.RequestException, RuntimeError):  # RuntimeError: the registry answered, but not with the file
            _path(dependency).unlink(missing_ok=True)
            if attempt == TRIES:
                raise
            time.sleep(attempt)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
