"""Reads from a request which account calls which action of which service in which region, as moto would."""

from __future__ import annotations

import io
import re
import threading
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from moto.core.request import Request
from moto.core.routing import ServiceOperationRouter, get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment as Environ

SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
# S3 Control is signed for S3; S3 has no such bucket.
S3_CONTROL = "/v20180820/"
# Signing names under which botocore, and with it moto's router, does not know the service.
MODEL_NAMES = {"elasticloadbalancing": "elb", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
_routing = threading.Lock()


class Call(NamedTuple):
    account: str
    region: str
    service: str
    action: str
    access_key: str
    form: dict

    @property
    def protocol(self) -> str:
        """The one of its errors: S3's have no element around them."""
        return "s3" if self.service == "s3" else protocol_of(self.service)


def read(environ: Environ) -> Call | None:
    """The call, or None for what is not signed for AWS. The body can be read again afterwards."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    body = buffer_body(environ)
    form = {}
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    service = service_of(environ, scope["service"].lower())
    account = environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(scope["key"])
    return Call(account, scope["region"], service, action_of(environ, service, form), scope["key"], form)


def service_of(environ: Environ, signed: str) -> str:
    return "s3control" if signed == "s3" and environ.get("PATH_INFO", "").startswith(S3_CONTROL) else signed


def buffer_body(environ: Environ) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def action_of(environ: Environ, service: str, form: dict[str, str]) -> str:
    if "Action" in form:
        return form["Action"]
    if environ.get("HTTP_X_AMZ_TARGET"):
        return environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    try:
        with _routing:
            operation, _ = router_of(service).match(Request(environ.copy()))
        return str(operation.name)
    except (NotFound, NotImplementedError, ValueError, LookupError):
        return environ.get("PATH_INFO", "/")
    except Exception as error:  # botocore's UnknownServiceError, whose import would cost more than this line
        if type(error).__name__ != "UnknownServiceError":
            raise
        return environ.get("PATH_INFO", "/")


@cache
def router_of(service: str) -> ServiceOperationRouter:
    return get_service_router(MODEL_NAMES.get(service, service))


@cache
def protocol_of(service: str) -> str:
    try:
        return str(get_service_model(MODEL_NAMES.get(service, service)).protocol)
    except Exception:
        return "rest-json"
