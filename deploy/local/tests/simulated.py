"""A simulated AWS in a process of its own, for tests."""

import configparser
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import botocore.session
from botocore.config import Config

HERE = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def server():
    """Its address; it ends with the block, or with this process."""
    with tempfile.TemporaryDirectory(prefix="groma-moto-") as folder:
        port = Path(folder, "port")
        command = [sys.executable, str(HERE / "moto_server.py"), "--quiet", "--until-stdin-closes", "--port-file", port]
        with open(Path(folder, "log"), "w+", encoding="utf-8") as log:
            moto = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
            try:
                deadline = time.monotonic() + 60
                while not port.exists():
                    if moto.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        raise RuntimeError(log.read())
                    time.sleep(0.05)
                yield f"http://127.0.0.1:{port.read_text(encoding='utf-8').strip()}"
            finally:
                moto.terminate()
                moto.wait()
                moto.stdin.close()


def client(endpoint, service, key, region="us-east-1"):
    """A client with real credentials: its calls are counted, refused and cut as any caller's."""
    return botocore.session.Session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def organization(endpoint, size, folder):
    """Fills it as a user would; the keys of the hub's user."""
    script = [sys.executable, str(HERE / "organization.py"), "--endpoint", endpoint, "--size", size, "--dir", folder]
    subprocess.run(script, stdout=subprocess.DEVNULL, check=True)
    credentials = configparser.ConfigParser()
    credentials.read(Path(folder, "credentials"))
    hub = credentials["hub"]
    return {"AccessKeyId": hub["aws_access_key_id"], "SecretAccessKey": hub["aws_secret_access_key"]}


os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
