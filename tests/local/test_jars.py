"""A Java file that is not what the lock says is never used."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.jars import Jar
from deploy.local.progress import Failed

GOOD = b"what was reviewed"
JAR = Jar("org.example:tool:1.0::jar", hashlib.sha256(GOOD).hexdigest())
WHERE = Path("org/example/tool/1.0/tool-1.0.jar")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A registry on this machine; the folder that it serves."""
    folder = tmp_path / "registry"
    (folder / WHERE).parent.mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("TYRSKY_MAVEN_MIRROR", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()


def test_what_is_missing_is_fetched(registry: Path, tmp_path: Path):
    (registry / WHERE).write_bytes(GOOD)
    jars.fetch_all([JAR], print, tmp_path / "jars")
    assert (tmp_path / "jars" / WHERE).read_bytes() == GOOD


def test_a_file_with_another_checksum_is_refused_and_deleted(registry: Path, tmp_path: Path):
    (registry / WHERE).write_bytes(b"something else")
    with pytest.raises(Failed, match=r"tool-1.0.jar: its SHA-256 is .* the lock says"):
        jars.fetch_all([JAR], print, tmp_path / "jars")
    assert not (tmp_path / "jars" / WHERE).exists()


def test_a_file_that_was_cut_short_is_fetched_again(registry: Path, tmp_path: Path):
    (registry / WHERE).write_bytes(GOOD)
    (tmp_path / "jars" / WHERE).parent.mkdir(parents=True)
    (tmp_path / "jars" / WHERE).write_bytes(GOOD[:5])
    jars.fetch_all([JAR], print, tmp_path / "jars")
    assert (tmp_path / "jars" / WHERE).read_bytes() == GOOD


def test_the_lock_has_what_is_wanted_with_a_checksum_each():
    for part, coordinates in jars.WANTED.items():
        locked = {jar.coordinate: jar.sha256 for jar in jars.locked(part)}
        assert all(len(checksum) == 64 for checksum in locked.values())
        for coordinate in coordinates:
            group, artifact, version, *_ = coordinate.split(":")
            assert any(known.startswith(f"{group}:{artifact}:{version}:") for known in locked), coordinate
