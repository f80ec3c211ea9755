"""Secrets and their versions as AWS lists them.

moto gives each version the time of the call as its date, and no keys. It would also run the function that rotates a secret.
"""

from __future__ import annotations

import json
from typing import Any

import moto.secretsmanager.models
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from . import clock, patches

DAY = 86_400
# Key of a version that is encrypted with the key that AWS manages.
DEFAULT_KEY = "DefaultEncryptionKey"


class Time:
    """For moto's module, in the place of `time`."""

    @staticmethod
    def time() -> float:
        return clock.now().timestamp()


def fill() -> None:
    rotate, to_dict = SecretsManagerBackend.rotate_secret, FakeSecret.to_dict

    def list_secret_version_ids(backend: Any, secret_id: str) -> str:
        secret = backend.secrets[secret_id]
        keys = [getattr(secret, "kms_key_id", None) or DEFAULT_KEY]
        versions = [
            {
                "VersionId": version_id,
                "VersionStages": version["version_stages"],
                "CreatedDate": version["createdate"],
                "KmsKeyIds": keys,
            }
            for version_id, version in secret.versions.items()
        ]
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "Versions": versions})

    def rotate_secret(
        backend: Any,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: dict[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        answer = rotate(backend, secret_id, client_request_token, None, rotation_rules, rotate_immediately)
        backend.secrets[secret_id].rotation_lambda_arn = rotation_lambda_arn or ""
        return answer

    def with_last_access(secret: Any) -> dict[str, Any]:
        # AWS gives the day, not the time.
        return {**to_dict(secret), "LastAccessedDate": secret.created_date - secret.created_date % DAY}

    patches.replace(moto.secretsmanager.models, "time", Time)
    patches.replace(SecretsManagerBackend, "list_secret_version_ids", list_secret_version_ids)
    patches.replace(SecretsManagerBackend, "rotate_secret", rotate_secret)
    patches.replace(FakeSecret, "to_dict", with_last_access)
