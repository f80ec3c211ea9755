"""Functions of Lambda as AWS lists them.

moto's lists have no pages, and the list of functions has their state, which AWS tells about a single function only. moto has
neither revisions nor reasons of a state, and lets nobody write a policy with `Deny` or with most conditions.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import get_backend

from . import patches
from .pages import Pages

Json = dict[str, Any]

# Fields that ListFunctions leaves out.
OF_ONE_FUNCTION = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
)


def fill(pages: Pages) -> None:
    configuration = LambdaFunction.get_configuration

    def get_configuration(function: Any, on_create: bool = False) -> Json:
        revision = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{function.function_arn}/{function.version}"))
        return {"RevisionId": revision, **configuration(function, on_create), **getattr(function, "more", {})}

    def list_functions(response: Any) -> str:
        functions = [function.get_configuration() for function in response.backend.list_functions()]
        for function in functions:
            for field in OF_ONE_FUNCTION:
                function.pop(field, None)
        return page(response, "Functions", functions, 50)

    def list_aliases(response: Any) -> str:
        aliases = response.backend.list_aliases(unquote(response.path.split("/")[-2]))
        return page(response, "Aliases", [alias.to_json() for alias in aliases], 10_000)

    def list_event_source_mappings(response: Any) -> str:
        source, function = response._get_param("EventSourceArn"), response._get_param("FunctionName")
        mappings = response.backend.list_event_source_mappings(source, function)
        return page(response, "EventSourceMappings", [described(mapping) for mapping in mappings], 100)

    def described(mapping: Any) -> Json:
        start = mapping.starting_position_timestamp
        more = {"LastProcessingResult": "No records processed", "StartingPositionTimestamp": start}
        return {**mapping.get_configuration(), **more}

    def page(response: Any, name: str, items: list[Json], most: int) -> str:
        token, size = response._get_param("Marker"), response._get_param("MaxItems")
        shown, more = pages.part(items, token, size, most)
        return json.dumps({name: shown, "NextMarker": more})

    patches.replace(LambdaFunction, "get_configuration", get_configuration)
    patches.replace(LambdaResponse, "list_functions", list_functions)
    patches.replace(LambdaResponse, "list_aliases", list_aliases)
    patches.replace(LambdaResponse, "list_event_source_mappings", list_event_source_mappings)


def change(body: Json) -> None:
    """Sets fields of a function's configuration, and the statements of its policy."""
    function: Any = get_backend(body["account"], body["region"]).get_function(body["function"])
    function.more = body.get("configuration", {})
    function.policy.statements.extend(body.get("policy", []))
