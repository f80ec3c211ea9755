#!/usr/bin/env python3
"""Calls a simulated AWS (`moto_server.py`) as the owner of any of its accounts.

    echo '[["222222222222", "us-east-1", "ec2", "describe_vpcs", {}]]' | aws_call.py --endpoint http://127.0.0.1:5000

needs a Python environment with `boto3`. Standard input is a JSON list of [account, region, service, operation,
parameters] with boto3's names, of which each is answered with all its pages; the answers go to standard output as a
JSON list. The first refusal ends it.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from seeding.aws import Aws


def main() -> int:
    parser = argparse.ArgumentParser(description="Calls a simulated AWS as the owner of its accounts.")
    parser.add_argument("--endpoint", required=True)
    aws = Aws(parser.parse_args().endpoint)
    answers = []
    for account, region, service, operation, parameters in json.load(sys.stdin):
        try:
            answer = call(aws.client(service, account, region), operation, parameters)
        except (BotoCoreError, ClientError) as error:
            print(f"{service} {operation} in {account} {region}: {error}", file=sys.stderr)
            return 1
        answer.pop("ResponseMetadata", None)
        answers.append(answer)
    json.dump(answers, sys.stdout, default=str)
    return 0


def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    if client.can_paginate(operation):
        return client.get_paginator(operation).paginate(**parameters).build_full_result()
    return getattr(client, operation)(**parameters)


if __name__ == "__main__":
    sys.exit(main())
