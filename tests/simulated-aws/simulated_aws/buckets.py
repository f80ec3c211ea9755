"""Buckets of S3 as AWS lists and describes them.

moto lists all of them at once and without their regions, gives them the time of the call as their date, and answers calls
about a bucket in any region. Some of its answers have another root element than AWS's, which strict clients reject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from . import clock, patches
from .errors import error_response

if TYPE_CHECKING:
    from simulated_aws.pages import Pages

# As all of moto's answers name the owner of buckets.
OWNER = {"ID": "bcaf1ffd86f41161ca5fb16fd081034f", "DisplayName": "webfile"}
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# May be asked for in any region.
ANYWHERE = "location"


def fill(pages: Pages) -> None:
    begin, all_buckets, get = FakeBucket.__init__, S3Response.all_buckets, S3Response._bucket_response_get
    get_notification = S3Response.get_bucket_notification

    def begin_now(bucket: Any, *arguments: Any, **named: Any) -> None:
        begin(bucket, *arguments, **named)
        bucket.creation_date = clock.now()

    def page_of_buckets(response: Any) -> Any:
        size = response._get_param("max-buckets")
        if size is None:
            return all_buckets(response)
        held = sorted(response.backend.buckets.values(), key=lambda bucket: bucket.name)
        start = int(response._get_param("continuation-token") or 0)
        end = start + pages.limited(int(size))
        answer = {
            "Owner": OWNER,
            "Buckets": [described(bucket) for bucket in held[start:end]],
            "ContinuationToken": str(end) if end < len(held) else None,
        }
        response.data["Action"] = "ListBuckets"
        return response.serialized(ActionResult(answer))

    def get_in_its_region(response: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        bucket = response.backend.buckets.get(bucket_name)
        if bucket is None or bucket.region_name == response.region or ANYWHERE in querystring:
            return get(response, bucket_name, querystring)
        return elsewhere(bucket.region_name)

    def get_bucket_versioning(response: Any) -> Any:
        # AWS names both if versioning was ever set, and neither if not.
        status = response.backend.get_bucket_versioning(response.bucket_name)
        inside = f"<Status>{status}</Status><MfaDelete>Disabled</MfaDelete>" if status else ""
        return answered("VersioningConfiguration", inside)

    def get_bucket_notification(response: Any) -> Any:
        set_for_it = response.backend.get_bucket_notification_configuration(response.bucket_name)
        return get_notification(response) if set_for_it else answered("NotificationConfiguration", "")

    patches.replace(FakeBucket, "__init__", begin_now)
    patches.replace(S3Response, "all_buckets", page_of_buckets)
    patches.replace(S3Response, "_bucket_response_get", get_in_its_region)
    patches.replace(S3Response, "get_bucket_versioning", get_bucket_versioning)
    patches.replace(S3Response, "get_bucket_notification", get_bucket_notification)


def answered(root: str, inside: str) -> tuple[int, dict[str, str], str]:
    return 200, {"content-type": "application/xml"}, f'<{root} xmlns="{NAMESPACE}">{inside}</{root}>'


def described(bucket: Any) -> dict[str, str]:
    return {
        "Name": bucket.name,
        "CreationDate": bucket.creation_date_ISO8601,
        "BucketRegion": bucket.region_name,
        "BucketArn": f"arn:{bucket.partition}:s3:::{bucket.name}",
    }


def elsewhere(region: str) -> tuple[int, dict[str, str], bytes]:
    message = "The bucket you are attempting to access must be addressed using the specified endpoint."
    answer = error_response("s3", 301, "PermanentRedirect", message)
    return 301, {"x-amz-bucket-region": region, "content-type": "application/xml"}, answer.get_data()
