"""Error answers in the shape of each AWS protocol."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

XML = "text/xml;charset=UTF-8"


def error_response(protocol: str, status: int, code: str, message: str) -> Response:
    request_id = str(uuid.uuid4())
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message})
        content_type = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
    else:
        kind = "Sender" if status < 500 else "Receiver"
        body = xml_body(protocol, kind, escape(code), escape(message), request_id)
        content_type = XML
    response = Response(body, status=status, content_type=content_type)
    response.headers["x-amzn-RequestId"] = request_id
    if protocol in ("json", "rest-json"):
        response.headers["x-amzn-ErrorType"] = code
    return response


def xml_body(protocol: str, kind: str, code: str, message: str, request_id: str) -> str:
    if protocol == "ec2":
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{code}</Code>'
            f"<Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    if protocol == "s3":
        return f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    return (
        f"<ErrorResponse><Error><Type>{kind}</Type>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
