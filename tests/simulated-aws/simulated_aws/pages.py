"""Pages for every call of EC2, IAM and Elastic Load Balancing that AWS pages; moto pages most other services.

moto ignores the page size of most calls. Here it is asked for everything, and the answer is cut: as many items as the
caller wants, at most `cap` (AWS gives fewer than asked for, too), and a token for the rest. botocore's own models say
which calls have pages and what their fields are called.
"""

from __future__ import annotations

import io
import threading
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_pagination_model

from . import patches

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment as Environ

    from simulated_aws.calls import Call

Json = dict[str, Any]

# What AWS takes as page size where the caller names none; EC2 then answers all at once.
DEFAULTS = {"iam": 100, "elb": 400, "elbv2": 400}
PAGED_BY_MOTO = {"autoscaling": "MaxRecords"}
ALL = 1_000_000
ELBV2_API = "2015-12-01"
TOKEN = "page-from-"


class Pages:
    def __init__(self) -> None:
        self.cap = None
        self.wanted = threading.local()

    def take_over(self, environ: Environ, call: Call) -> None:
        """Remembers which page the caller wants and changes the request so that moto answers all of them."""
        self.wanted.page = None
        service = model_name(call)
        if service in PAGED_BY_MOTO:
            return self.shorten(environ, call, PAGED_BY_MOTO[service])
        paging = paging_of(service, call.action)
        if paging is None or any(name.startswith("InstanceId.") for name in call.form):
            return None
        form = {name: value for name, value in call.form.items() if name != paging["input_token"]}
        token = call.form.get(paging["input_token"], "")
        size = int(form.get(limit_key(paging), DEFAULTS.get(service, ALL)))
        self.wanted.page = (call.action, paging, start_of(token), self.limited(size))
        form[limit_key(paging)] = str(ALL)
        return replace_body(environ, form)

    def shorten(self, environ: Environ, call: Call, limit: str) -> None:
        """For calls that moto pages well, and for no more than AWS's limit."""
        if self.cap and call.action.startswith("Describe"):
            replace_body(environ, {**call.form, limit: str(self.limited(int(call.form.get(limit, self.cap))))})

    def part(self, items: list[Json], token: str | None, size: str | None, most: int) -> tuple[list[Json], str | None]:
        """The page that a token leads to, and the token of the next one, for answers in JSON."""
        start, length = start_of(token or ""), self.limited(min(int(size or most), most))
        more = f"{TOKEN}{start + length}" if start + length < len(items) else None
        return items[start : start + length], more

    def limited(self, size: int) -> int:
        return min(size, self.cap or size)

    def set_cap(self, body: Json) -> None:
        """{"items": N}; null for as many as AWS would give."""
        self.cap = body["items"]


def fill(pages: Pages) -> None:
    """Cuts answers where moto writes them."""
    write = BaseResponse.serialized

    def serialized(response: Any, action_result: Any) -> Any:
        page, pages.wanted.page = getattr(pages.wanted, "page", None), None
        if page and isinstance(action_result.result, dict) and response._get_action() == page[0]:
            action_result = ActionResult(cut(action_result.result, *page[1:]))
        return write(response, action_result)

    patches.replace(BaseResponse, "serialized", serialized)


def cut(result: Json, paging: Json, start: int, size: int) -> Json:
    """The page from `start`; the items of several lists, as in GetAccountAuthorizationDetails, are counted on."""
    keys = paging["result_key"] if isinstance(paging["result_key"], list) else [paging["result_key"]]
    page, position = dict(result), 0
    for key in (as_moto_has_it(key, result) for key in keys):
        items = list(result.get(key) or [])
        page[key] = items[max(start - position, 0) : max(start + size - position, 0)]
        position += len(items)
    more = start + size < position
    page[paging["output_token"]] = f"{TOKEN}{start + size}" if more else None
    if "more_results" in paging:
        page[paging["more_results"]] = more
    return page


def as_moto_has_it(key: str, result: Json) -> str:
    """moto writes some of them with a small initial."""
    small = key[0].lower() + key[1:]
    return small if small in result and key not in result else key


def model_name(call: Call) -> str:
    if call.service == "elasticloadbalancing":
        return "elbv2" if call.form.get("Version") == ELBV2_API else "elb"
    return call.service


@cache
def paging_of(service: str, action: str) -> Json | None:
    """How the call pages, for the services whose requests are forms."""
    if service not in ("ec2", "iam", "elb", "elbv2"):
        return None
    paging = get_pagination_model(service).get(action)
    return paging if paging and isinstance(paging["input_token"], str) else None


def limit_key(paging: Json) -> str:
    # Three calls have tokens and no size; the name is then one that moto does not read.
    return paging.get("limit_key", "PageSizeOfNone")


def start_of(token: str) -> int:
    return int(token.removeprefix(TOKEN)) if token.startswith(TOKEN) else 0


def replace_body(environ: Environ, form: dict[str, str]) -> None:
    body = urlencode(form).encode()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
