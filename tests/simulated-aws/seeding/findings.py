"""Inspector findings, which moto has no way to make: packages with known vulnerabilities and open paths."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seeding.aws import Aws

Json = dict[str, Any]

DAY = 86_400
# 2024-01-01: the times are the same in every run.
EPOCH = 1_704_067_200


class Cve(NamedTuple):
    id: str
    severity: str
    score: float
    exploit: bool
    title: str


CVES = (
    Cve("CVE-2021-44228", "CRITICAL", 10.0, True, "log4j-core: lookups in logged text load code"),
    Cve("CVE-2022-0778", "HIGH", 7.5, True, "openssl: a certificate can start an endless loop"),
    Cve("CVE-2023-4911", "HIGH", 7.8, True, "glibc: buffer overflow in ld.so"),
    Cve("CVE-2024-3094", "CRITICAL", 10.0, True, "xz: malicious code in upstream"),
    Cve("CVE-2023-38545", "HIGH", 9.8, False, "curl: heap overflow in the SOCKS5 handshake"),
    Cve("CVE-2023-0464", "MEDIUM", 5.9, False, "openssl: policy constraints take exponential time"),
    Cve("CVE-2022-40897", "LOW", 3.1, False, "setuptools: slow regular expression"),
)
LOG4SHELL = CVES[0]
NAMES = {"CVE-2021-44228": "log4j-core", "CVE-2022-0778": "openssl", "CVE-2023-4911": "glibc", "CVE-2024-3094": "xz",
         "CVE-2023-38545": "curl", "CVE-2023-0464": "openssl", "CVE-2022-40897": "setuptools"}  # fmt: skip
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"


def vulnerability(
    account: str, region: str, instance: str, cve: Cve, packages: int = 1, status: str = "ACTIVE"
) -> Json:
    """A finding with every field that Inspector fills for a package on an instance."""
    finding = common(account, region, cve.id, instance, "PACKAGE_VULNERABILITY", cve.severity, status)
    finding.update(
        title=f"{cve.id} - {NAMES[cve.id]}",
        description=cve.title,
        exploitAvailable="YES" if cve.exploit else "NO",
        fixAvailable="YES",
        epss={"score": round(cve.score / 10.5, 3)},
        inspectorScore=cve.score,
        inspectorScoreDetails={
            "adjustedCvss": {
                "adjustments": [{"metric": "AV", "reason": "the instance is reachable"}],
                "cvssSource": "NVD",
                "score": cve.score,
                "scoreSource": "NVD",
                "scoringVector": VECTOR,
                "version": "3.1",
            }
        },
        packageVulnerabilityDetails=details(cve, [package(cve, number) for number in range(packages)]),
    )
    if cve.exploit:
        finding["exploitabilityDetails"] = {"lastKnownExploitAt": EPOCH - 40 * DAY}
    return finding


def details(cve: Cve, packages: list[Json]) -> Json:
    return {
        "cvss": [
            {"baseScore": cve.score, "scoringVector": VECTOR, "source": "NVD", "version": "3.1"},
            {"baseScore": round(cve.score - 0.4, 1), "scoringVector": VECTOR, "source": "VENDOR", "version": "3.1"},
        ],
        "referenceUrls": [f"https://example.com/{cve.id}", f"https://example.org/advisories/{cve.id.lower()}"],
        "relatedVulnerabilities": ["CVE-2021-45046"] if cve is LOG4SHELL else [],
        "source": "NVD",
        "sourceUrl": f"https://example.com/source/{cve.id}",
        "vendorCreatedAt": EPOCH - 400 * DAY,
        "vendorSeverity": cve.severity.capitalize(),
        "vendorUpdatedAt": EPOCH - 90 * DAY,
        "vulnerabilityId": cve.id,
        "vulnerablePackages": packages,
    }


def package(cve: Cve, number: int) -> Json:
    """Packages of the same name in several versions; the last fields are not there for each of them."""
    made = {
        "name": NAMES[cve.id],
        "version": f"2.{number}.1",
        "packageManager": "OS" if number % 2 == 0 else "JAR",
        "arch": "X86_64",
        "epoch": 0,
        "release": f"{number + 1}.amzn2",
        "fixedInVersion": "0:2.17.1-1.amzn2",
        "remediation": f"yum update {NAMES[cve.id]}",
    }
    if number % 2:
        made["filePath"] = f"opt/app/lib/{NAMES[cve.id]}-{made['version']}.jar"
        made["sourceLayerHash"] = "sha256:" + hashlib.sha256(made["version"].encode()).hexdigest()
        del made["release"]
    return made


def reachability(
    account: str, region: str, instance: str, begin: int, end: int, protocol: str = "TCP", network: Sequence[str] = ()
) -> Json:
    """A port range that is open to the internet."""
    finding = common(account, region, f"port-{begin}", instance, "NETWORK_REACHABILITY", "HIGH", "ACTIVE")
    finding.update(
        title=f"Ports {begin}-{end} are reachable from an Internet Gateway",
        description="The path from the internet to the instance is open",
        networkReachabilityDetails={
            "networkPath": {"steps": [{"componentId": part, "componentType": "AWS::EC2"} for part in network]},
            "openPortRange": {"begin": begin, "end": end},
            "protocol": protocol,
        },
    )
    return finding


def of_image(account: str, region: str, cve: Cve, digest: str = "0" * 64) -> Json:
    """A finding of a container image, whose resource is not an instance."""
    arn = f"arn:aws:ecr:{region}:{account}:repository/app/sha256:{digest}"
    finding = vulnerability(account, region, arn, cve)
    finding["resources"] = [{"id": arn, "type": "AWS_ECR_CONTAINER_IMAGE", "region": region, "partition": "aws"}]
    return finding


def of_repository(account: str, region: str, cve: Cve) -> Json:
    finding = vulnerability(account, region, f"arn:aws:ecr:{region}:{account}:repository/app", cve)
    finding["resources"][0]["type"] = "AWS_ECR_REPOSITORY"
    return finding


def of_code(account: str, region: str, function: str) -> Json:
    """A finding with neither package nor path, of a kind that later services added."""
    arn = f"arn:aws:lambda:{region}:{account}:function:{function}:$LATEST"
    finding = common(account, region, "code", arn, "CODE_VULNERABILITY", "UNTRIAGED", "ACTIVE")
    finding.update(title="Hard-coded credentials", description="A secret stands in the code")
    finding["resources"] = [{"id": arn, "type": "AWS_LAMBDA_FUNCTION", "region": region, "partition": "aws"}]
    return finding


def common(account: str, region: str, what: str, resource: str, kind: str, severity: str, status: str) -> Json:
    digest = hashlib.sha256(f"{account} {region} {what} {resource} {status}".encode()).hexdigest()[:32]
    return {
        "findingArn": f"arn:aws:inspector2:{region}:{account}:finding/{digest}",
        "awsAccountId": account,
        "type": kind,
        "severity": severity,
        "status": status,
        "firstObservedAt": EPOCH - 30 * DAY,
        "lastObservedAt": EPOCH,
        "updatedAt": EPOCH - DAY / 2,
        "remediation": {"recommendation": {"text": "Update what is affected"}},
        "resources": [{"id": resource, "type": "AWS_EC2_INSTANCE", "region": region, "partition": "aws"}],
    }


def put(aws: Aws, account: str, region: str, findings: list[Json]) -> None:
    aws.control("/_groma/inspector2", {"account": account, "region": region, "findings": findings})


def delegate(aws: Aws, admin: str, region: str, own: list[Json], members: dict[str, list[Json]]) -> None:
    """Makes `admin` the delegated administrator, who also sees the findings of the members."""
    aws.control("/_groma/inspector2/members", {"account": admin, "region": region, "members": sorted(members)})
    put(aws, admin, region, own + [finding for account in sorted(members) for finding in members[account]])


def awkward(account: str, region: str, instances: list[str]) -> list[Json]:
    """More than a page, closed and suppressed ones, and each kind of resource."""
    made = [
        vulnerability(account, region, instance, CVES[number % len(CVES)], packages=1 + number % 3)
        for number in range(130)
        for instance in [instances[number % len(instances)]]
    ]
    # The index keeps apart what the instances alone would not.
    for number, finding in enumerate(made):
        finding["findingArn"] += f"{number:04}"
    made.append(vulnerability(account, region, instances[0], LOG4SHELL, status="CLOSED"))
    made.append(vulnerability(account, region, instances[0], LOG4SHELL, packages=4, status="SUPPRESSED"))
    made.append(reachability(account, region, instances[0], 22, 22))
    made.append(reachability(account, region, instances[0], 1024, 65535, "UDP"))
    made.append(of_image(account, region, CVES[1]))
    made.append(of_repository(account, region, CVES[2]))
    made.append(of_code(account, region, "report"))
    gone = vulnerability(account, region, "i-00000000000000000", CVES[2])
    gone["title"] = "An instance that is gone: Büro 日本"
    return [*made, gone]
