"""kube-apiserver with etcd on 127.0.0.1: it validates, defaults and admits objects, and nothing runs them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import programs
import servers

Json = dict[str, Any]

TOKEN = "only-of-this-test"


class Kubectl:
    """kubectl for one API server."""

    def __init__(self, configuration: Path) -> None:
        self.configuration = configuration

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        program = servers.tool("kubectl")
        command = [program, f"--kubeconfig={self.configuration}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        """Output of a command that must succeed."""
        result = self.run(*arguments, stdin=stdin)
        assert result.returncode == 0, f"kubectl {' '.join(arguments)}: {result.stderr}"
        return result.stdout

    def get(self, kind: str, namespace: str) -> dict[str, Json]:
        """Objects of a kind by name."""
        listed = json.loads(self.done("get", kind, "--namespace", namespace, "--output=json"))
        return {it["metadata"]["name"]: it for it in listed["items"]}


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Kubectl]:
    """Starts both servers with all their files in `folder`, and ends them."""
    port, client, peer = (servers.ports.free_port() for _ in range(3))
    key = folder / "service-account.pem"
    key.write_bytes(private_key())
    (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n', encoding="utf-8")
    etcd = [str(programs.PROGRAMS["etcd"]), f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync=true", "--logger=zap"]
    for flag, url in (("client", f"http://127.0.0.1:{client}"), ("peer", f"http://127.0.0.1:{peer}")):
        etcd += [f"--listen-{flag}-urls={url}"]
        etcd += [f"--advertise-client-urls={url}"] if flag == "client" else [f"--initial-advertise-peer-urls={url}"]
    etcd += [f"--initial-cluster=default=http://127.0.0.1:{peer}"]
    server = [
        str(programs.PROGRAMS["kube-apiserver"]),
        f"--etcd-servers=http://127.0.0.1:{client}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        # The lease of the endpoint of an address of this machine would be refused.
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
    ]
    kubectl = Kubectl(folder / "kubeconfig")
    kubectl.configuration.write_text(json.dumps(kubeconfig(port, folder / "certificates")), encoding="utf-8")
    with (
        servers.process.running("etcd", "etcd", etcd, folder),
        servers.process.running("kube-apiserver", "kube-apiserver", server, folder) as api,
    ):
        api.wait_until(lambda: kubectl.run("get", "--raw", "/readyz").stdout == "ok")
        yield kubectl


def kubeconfig(port: int, certificates: Path) -> Json:
    address = f"https://127.0.0.1:{port}"
    cluster = {"server": address, "certificate-authority": str(certificates / "apiserver.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }


def private_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
