"""What botocore makes of AWS configurations: `botocore_profiles.py CASES FOLDER`.

CASES is a JSON file: a list of objects with `config` and `credentials` (text, a list of bytes, or null for no file), `env` (null
unsets a variable) and `sources` (whether to look for credentials). FOLDER holds the files of one case after the other and is the
home directory; `{folder}` in a variable stands for it. Prints a list of the same length. Each element has

- `sections`: for both files either `error`, or the sections of `raw_config_parse` in their order;
- `error`, or `profiles`, `sso_sessions` and `services` as botocore's session has them;
- `sources`: for each way to select a profile, the credentials that botocore would use, or `error` and the exception's name.

No credentials are fetched: providers that would call AWS, an endpoint or a command only say that it is their turn.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import botocore.configloader
import botocore.credentials
import botocore.exceptions
import botocore.session
from botocore.credentials import Credentials

Json = dict[str, Any]

FILES = {"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}
ENVIRONMENT = dict(os.environ)


def container(_: object) -> Credentials:
    return Credentials("", "", method="container-role")


def instance(_: object) -> Credentials | None:
    disabled = os.environ.get("AWS_EC2_METADATA_DISABLED", "false").lower() == "true"
    return None if disabled else Credentials("", "", method="iam-role")


def process(provider: Any) -> Credentials | None:
    command = provider.profile_config.get("credential_process")
    return None if command is None else Credentials(command, "", method="custom-process")


def login(provider: Any) -> Credentials | None:
    profile = provider._load_config().get("profiles", {}).get(provider._profile_name, {})
    return Credentials("", "", method="login") if "login_session" in profile else None


for provider, name, own in (
    (botocore.credentials.ContainerProvider, "_retrieve_or_fail", container),
    (botocore.credentials.InstanceMetadataProvider, "load", instance),
    (botocore.credentials.ProcessProvider, "load", process),
    (botocore.credentials.LoginProvider, "load", login),
):
    setattr(provider, name, own)


def text(*parts: str | None) -> str:
    return " ".join("-" if part is None else json.dumps(part, ensure_ascii=False) for part in parts)


def described(credentials: Any) -> str:
    """Credentials as text: where they come from, then the roles that are assumed with them."""
    method = credentials.method
    if method in ("env", "config-file", "shared-credentials-file"):
        return f"{method} {text(credentials.access_key, credentials.secret_key, credentials.token or '')}"
    if method == "custom-process":
        return f"{method} {text(credentials.access_key)}"
    if method in ("container-role", "iam-role", "login"):
        return method
    refresh = credentials._refresh_using
    fetcher = getattr(refresh, "_refresh", refresh).__self__
    if method == "sso":
        parts = [fetcher._account_id, fetcher._role_name, fetcher._sso_region, fetcher._start_url]
        return f"{method} {text(*parts, fetcher._sso_session_name or '')}"
    given = fetcher._assume_kwargs
    name = "" if fetcher._using_default_session_name else given.get("RoleSessionName", "")
    if method == "assume-role-with-web-identity":
        token = fetcher._web_identity_token_loader._web_identity_token_path
        return f"{method} {text(fetcher._role_arn, token, name)}"
    options = [given.get("ExternalId", ""), name, given.get("DurationSeconds"), given.get("SerialNumber", "")]
    return f"{described(fetcher._source_credentials)} > {text(fetcher._role_arn, *options)}"


def source(profile: str | None = None) -> dict[str, str] | str:
    try:
        session = botocore.session.Session(profile=profile, include_builtin_handlers=False)
        credentials = botocore.credentials.create_credential_resolver(session).load_credentials()
        return {"error": "nothing"} if credentials is None else described(credentials)
    except botocore.exceptions.BotoCoreError as error:
        return {"error": type(error).__name__}


def sources(profiles: list[str]) -> dict[str, dict[str, str] | str]:
    """By the environment alone, by each profile as an argument and, if the environment selects none, in AWS_PROFILE."""
    found = {"": source()}
    selected = any(name in os.environ for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"))
    for name in filter(None, profiles):
        found[f"--profile {name}"] = source(name)
        if not selected:
            os.environ["AWS_PROFILE"] = name
            found[f"AWS_PROFILE={name}"] = source()
            del os.environ["AWS_PROFILE"]
    return found


def sections(variable: str) -> list[tuple[Any, Any]] | dict[str, str]:
    try:
        return list(botocore.configloader.raw_config_parse(os.environ[variable]).items())
    except botocore.exceptions.BotoCoreError as error:
        return {"error": type(error).__name__}


def set_up(case: Json, folder: Path) -> None:
    os.environ.clear()
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if not name.startswith("AWS_")})
    os.environ["HOME"] = str(folder)
    for part, variable in FILES.items():
        path = folder / part
        path.unlink(missing_ok=True)
        content = case[part]
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else bytes(content))
        os.environ[variable] = str(path)


def read(case: Json, folder: Path) -> Json:
    set_up(case, folder)
    found = {"sections": {part: sections(variable) for part, variable in FILES.items()}}
    for name, value in case["env"].items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value.replace("{folder}", str(folder))
    try:
        config = botocore.session.Session(include_builtin_handlers=False).full_config
    except botocore.exceptions.BotoCoreError as error:
        return {**found, "error": type(error).__name__}
    found.update({part: config.get(part, {}) for part in ("profiles", "sso_sessions", "services")})
    # A profile that does not exist is tried where the environment says nothing else.
    names = [*found["profiles"], *([] if case["env"] else ["missing"])]
    return {**found, "sources": sources(names) if case["sources"] else {}}


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps([read(case, Path(sys.argv[2])) for case in cases]))


if __name__ == "__main__":
    main()
