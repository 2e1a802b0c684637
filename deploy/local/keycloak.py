"""Keycloak: who somebody is, which college's they are, and what they may do (OIDC). Its realm is ``deploy/keycloak``'s.

The distribution is unpacked and built once for all clones; a stack's own home holds its data, and links to the rest.
The realm is imported when it is not there yet: `make clean` makes room for a changed one.
"""

import fcntl
import shutil
import zipfile
from pathlib import Path

from deploy.local import jars
from deploy.local.part import JAVA, SMALL_JAVA, Part, answers, carry_out
from deploy.local.progress import Say
from deploy.local.stack import HOST, ROOT, Stack

HEAP_MB = 320
BUILD_SECONDS = 300
REALM = ROOT / "deploy" / "keycloak" / "tyrsky-realm.json"

#: Chosen when the distribution is built; other settings can change at every start.
BUILD = ("--db=dev-file", "--cache=local")
SETTINGS = """\
http-enabled=true
http-host={host}
http-port={port}
hostname=http://localhost:{port}
log-level=warn
"""


def part(stack: Stack) -> Part:
    home = stack.folder / "keycloak"
    return Part(
        name="keycloak",
        command=[*_java(home), "start", "--optimized", "--import-realm"],
        env={"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin"},
        ready=lambda: answers(f"{stack.issuer}/.well-known/openid-configuration"),
        ports=("keycloak",),
        prepare=lambda say: _prepare(stack, home, say),
        page=stack.url("keycloak", "/admin/"),
    )


def _java(home: Path) -> list[str]:
    """What the distribution's shell script runs: so there is no shell between the supervisor and the process."""
    opened = [
        f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("util", "util.concurrent", "security", "lang")
    ]
    threads = "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
    return [
        *(JAVA, f"-Xmx{HEAP_MB}m", "-XX:MaxMetaspaceSize=256m", *SMALL_JAVA, *opened),
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        f"-Djava.util.concurrent.ForkJoinPool.common.threadFactory={threads}",
        f"-Dkc.home.dir={home}",
        f"-Djboss.server.config.dir={home / 'conf'}",
        *("-cp", str(home / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"),
    ]


def _prepare(stack: Stack, home: Path, say: Say) -> None:
    jars.fetch("keycloak", say)
    built = _built(say)
    for name in ("conf", "data/import"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for name in ("lib", "providers", "themes"):
        link = home / name
        link.unlink(missing_ok=True)
        link.symlink_to(built / name)
    (home / "conf" / "keycloak.conf").write_text(SETTINGS.format(host=HOST, port=stack.ports["keycloak"]))
    shutil.copyfile(REALM, home / "data" / "import" / REALM.name)


def _built(say: Say) -> Path:
    """The distribution, unpacked and built: about 25 seconds the first time, and nothing after that."""
    (archive,) = jars.paths("keycloak")
    folder = jars.folder() / "keycloak" / f"built-{jars.locked('keycloak')[0].sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = folder / "keycloak"
        if not (folder / "done").exists():
            say("unpacking")
            shutil.rmtree(home, ignore_errors=True)
            zipfile.ZipFile(archive).extractall(folder / "unpacked")
            next((folder / "unpacked").iterdir()).rename(home)
            say("building (once)")
            carry_out("Keycloak's build", [*_java(home), "build", *BUILD], seconds=BUILD_SECONDS)
            (folder / "done").touch()
    return home
