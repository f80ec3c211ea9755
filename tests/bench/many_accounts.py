#!/usr/bin/env python3
"""Many accounts from memory: what one simulated account answers is recorded once and told again for each of the others.

    many_accounts.py --behind http://127.0.0.1:5000 --port-file FILE --template 222222222222 --role-arn ARN

Account, region and the ids of resources in an answer are replaced by those of the account and region that asks, and
back again in what it asks, so that the graph gets as many resources as an organization of that size would have. For the
rest, and for how it is controlled, see `recorded_aws.py`.
"""

from __future__ import annotations

import hashlib
import re

import recorded_aws
from recorded_aws import ACCESS_KEY, ROLE_ACCOUNT, SCOPE, Answer, RecordedAws, Request

REGION_ASKED = "us-east-1"
# Ids of resources (`vpc-0123456789abcdef0`), of IAM's entities and of keys.
TOKEN = re.compile(rb"(?<=-)(?:[0-9a-f]{17}|[0-9a-f]{8})\b|\b(?:AKIA|ASIA|AIDA|AROA|AIPA|ANPA|AGPA)[A-Z0-9]{12,17}\b")


class Place:
    """One account and region as a translation of what the template says."""

    def __init__(self, template: str, account: bytes, region: bytes) -> None:
        domain = b".elb.amazonaws.com"
        self.names = [(template.encode(), account), (REGION_ASKED.encode(), region), (domain, b"." + account + domain)]
        self.salt = account + region
        self.tokens = {}

    def told(self, body: bytes) -> bytes:
        """An answer of the template as one of this place."""
        body = TOKEN.sub(self.token, body)
        for old, new in self.names:
            body = body.replace(old, new)
        return body

    def token(self, match: re.Match[bytes]) -> bytes:
        old = match.group()
        digest = hashlib.sha256(self.salt + old).hexdigest()
        head = b"" if old[:1].islower() or old[:1].isdigit() else old[:4]
        tail = digest[: len(old) - len(head)].encode()
        new = head + (tail.upper() if head else tail)
        self.tokens[new] = old
        return new

    def asked(self, body: bytes) -> bytes:
        """A request in this place as one to the template."""
        body = TOKEN.sub(lambda match: self.tokens.get(match.group(), match.group()), body)
        for old, new in reversed(self.names):
            body = body.replace(new, old)
        return body


class ManyAccounts(RecordedAws):
    def __init__(self, behind: str, template: str, role_arn: str) -> None:
        super().__init__(behind)
        self.template, self.role_arn = template, role_arn.encode()
        self.places = {}
        # The key of the session in the template, by that which stands for it.
        self.inside = {}
        self.templates = {}

    async def record(self, key: tuple[bytes, ...], request: Request) -> Answer:
        account, _, service = key[:3]
        if service == b"sts" and ROLE_ACCOUNT.search(request.body):
            answer = await self.session(request)
        elif not account.isdigit():
            # The hub, whose key is no session of ours.
            return await super().record(key, request)
        else:
            answer = await self.translated(key, request)
        if not answer.failed:
            self.answers[key] = answer
        return answer

    async def session(self, request: Request) -> Answer:
        """A session in the named role's account, with a unique key."""
        (account,) = ROLE_ACCOUNT.findall(request.body)
        body = re.sub(rb"RoleArn=[^&]+", b"RoleArn=" + self.role_arn, request.body)
        behind = await self.from_template(Request(request.method, request.path, request.headers, body))
        if behind.failed:
            return behind
        (access_key,) = ACCESS_KEY.findall(behind.body)
        own = b"ASIA" + hashlib.sha256(account + access_key).hexdigest()[:16].upper().encode()
        self.accounts[own], self.inside[own] = account, access_key
        answer = Answer(
            behind.status, behind.headers, behind.body.replace(access_key, own).replace(self.template.encode(), account)
        )
        answer.expires = True
        return answer

    async def translated(self, key: tuple[bytes, ...], request: Request) -> Answer:
        account, region = key[:2]
        place = self.places.setdefault((account, region), Place(self.template, account, region))
        body = place.asked(request.body)
        headers = dict(request.headers)
        ((access_key, *_),) = SCOPE.findall(headers.get(b"authorization", b""))
        headers[b"authorization"] = (
            headers[b"authorization"]
            .replace(access_key, self.inside[access_key], 1)
            .replace(b"/" + region + b"/", b"/" + REGION_ASKED.encode() + b"/", 1)
        )
        known = (*key[2:6], recorded_aws.normalized(body))
        if known not in self.templates:
            self.templates[known] = await self.from_template(Request(request.method, request.path, headers, body))
        answer = self.templates[known]
        return Answer(answer.status, answer.headers, place.told(answer.body))

    async def from_template(self, request: Request) -> Answer:
        self.counts.unrecorded.append(request.body[:200].decode(errors="replace"))
        return await self.ask(request)


def main() -> None:
    parser = recorded_aws.parser("Many accounts from memory")
    parser.add_argument("--template", required=True, help="the account that all others are like")
    parser.add_argument("--role-arn", required=True, help="a role in it that the hub may assume")
    arguments = parser.parse_args()
    recorded_aws.run(ManyAccounts(arguments.behind, arguments.template, arguments.role_arn), arguments.port_file)


if __name__ == "__main__":
    main()
