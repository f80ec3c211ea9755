"""Grants and aliases of KMS keys as AWS lists them.

moto gives a grant the id of its key, where AWS gives the key's ARN, and neither a date nor an issuer. The aliases that AWS
predefines name keys that moto does not have; AWS's name a key once a service needs one.
"""

from __future__ import annotations

from typing import Any

import moto.kms.responses
from moto.core.utils import unix_time
from moto.kms.models import Grant, Key
from moto.kms.utils import RESERVED_ALIASES
from moto.utilities.utils import get_partition

from . import patches


def fill() -> None:
    add, to_json = Key.add_grant, Grant.to_json

    def add_grant(key: Any, *positional: Any, **named: Any) -> Any:
        grant: Any = add(key, *positional, **named)
        grant.key_id = key.arn
        grant.creation_date = unix_time()
        grant.issuing_account = f"arn:{get_partition(key.region)}:iam::{key.account_id}:root"
        return grant

    def with_date_and_issuer(grant: Any) -> dict[str, Any]:
        more = {"CreationDate": grant.creation_date, "IssuingAccount": grant.issuing_account}
        return {**to_json(grant), **more}

    patches.replace(Key, "add_grant", add_grant)
    patches.replace(Grant, "to_json", with_date_and_issuer)
    patches.replace(moto.kms.responses, "RESERVED_ALIASE_TARGET_KEY_IDS", dict.fromkeys(RESERVED_ALIASES))
