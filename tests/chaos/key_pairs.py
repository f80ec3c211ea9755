#!/usr/bin/env python3
"""Creates or deletes key pairs of one name in the caller's account, in the regions of the small organization.

    key_pairs.py create|delete NAME

Prints their names as JSON. Needs a Python environment with boto3.
"""

from __future__ import annotations

import json
import sys

import boto3

REGIONS = ("us-east-1", "eu-west-1")


def main(action: str, name: str) -> None:
    for region in REGIONS:
        ec2 = boto3.client("ec2", region_name=region)
        call = ec2.create_key_pair if action == "create" else ec2.delete_key_pair
        call(KeyName=name)
    print(json.dumps([f"{name} in {region}" for region in REGIONS]))


if __name__ == "__main__":
    main(*sys.argv[1:])
