#!/usr/bin/env python3
"""An account of any size from memory: the first volume and the first finding of a simulated one, repeated page after page.

    large_account.py --behind http://127.0.0.1:5000 --port-file FILE --account 222222222222 --pages 200

`DescribeVolumes` and `ListFindings` of that account return `--pages` full pages, with a unique id for each resource. All
other calls return the answers of `recorded_aws.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import recorded_aws
from recorded_aws import Answer, RecordedAws, Request

# What AWS puts on a page at most.
VOLUMES, FINDINGS = 500, 100
VOLUME = re.compile(rb"vol-[0-9a-f]+")
TOKEN = re.compile(rb"NextToken=([^&]+)")


def volumes(body: bytes, page: int, pages: int) -> bytes:
    """A page of `DescribeVolumes`, made of the first volume of another."""
    answer = ElementTree.fromstring(body)
    namespace = answer.tag[1:].partition("}")[0]
    listed = answer.find(f"{{{namespace}}}volumeSet")
    assert listed is not None, body
    item = ElementTree.tostring(listed[0])
    own = VOLUME.findall(item)[0]
    listed[:] = [ElementTree.fromstring(item.replace(own, b"vol-%017x" % number)) for number in numbers(page, VOLUMES)]
    for token in answer.findall(f"{{{namespace}}}nextToken"):
        answer.remove(token)
    if page + 1 < pages:
        ElementTree.SubElement(answer, f"{{{namespace}}}nextToken").text = str(page + 1)
    return ElementTree.tostring(answer, default_namespace=namespace)


def findings(body: bytes, page: int, pages: int) -> bytes:
    """A page of `ListFindings`, made of the first finding of another."""
    first = json.loads(body)["findings"][0]
    arn = first["findingArn"].rpartition("/")[0]
    made = [{**first, "findingArn": f"{arn}/{number:032x}"} for number in numbers(page, FINDINGS)]
    following = {} if page + 1 == pages else {"nextToken": str(page + 1)}
    return json.dumps({"findings": made, **following}).encode()


def numbers(page: int, size: int) -> range:
    return range(1 + page * size, 1 + (page + 1) * size)


class LargeAccount(RecordedAws):
    def __init__(self, behind: str, account: str, pages: int) -> None:
        super().__init__(behind)
        self.account, self.pages = account.encode(), pages
        self.templates = {}

    async def record(self, key: tuple[bytes, ...], request: Request) -> Answer:
        if key[0] != self.account:
            return await super().record(key, request)
        if b"Action=DescribeVolumes" in request.body:
            page = TOKEN.search(request.body)
            first = TOKEN.sub(b"", request.body).replace(b"&&", b"&").strip(b"&")
            return await self.page(volumes, key, request, first, int(page.group(1)) if page else 0)
        if request.path.startswith(b"/findings/list"):
            asked = json.loads(request.body)
            page = int(asked.pop("nextToken", 0))
            return await self.page(findings, key, request, json.dumps(asked).encode(), page)
        return await super().record(key, request)

    async def page(
        self, make: Callable[..., Any], key: tuple[bytes, ...], request: Request, first: Any, page: int
    ) -> Answer:
        """Made anew each time: an account of that size is not to fill the memory here either."""
        place = key[:3]
        if place not in self.templates:
            behind = Request(request.method, request.path, request.headers, first)
            self.templates[place] = await self.ask(behind)
        answer = self.templates[place]
        return Answer(answer.status, answer.headers, make(answer.body, page, self.pages))


def main() -> None:
    parser = recorded_aws.parser("An account of any size from memory")
    parser.add_argument("--account", required=True, help="the account that is large")
    parser.add_argument("--pages", required=True, type=int, help="pages of volumes and of findings in each region")
    arguments = parser.parse_args()
    recorded_aws.run(LargeAccount(arguments.behind, arguments.account, arguments.pages), arguments.port_file)


if __name__ == "__main__":
    main()
