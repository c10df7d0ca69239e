"""What schemathesis must know of NDJSON: it is sent as it is written, and what is not text cannot be sent at all; of U+0000, which is refused deep in a
body too; and of formats of our own."""
import json
import re

import schemathesis
from hypothesis import strategies

LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def as_written(context, value):
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


@schemathesis.deserializer(LINES)
def as_read(context, response):
    return response.text


@schemathesis.hook
def before_call(context, case, kwargs):
    """Where schemathesis has put an object that it knows from another answer in the place of lines, it goes as JSON."""
    after = (case.query or {}).get("after")
    by_score = (case.query or {}).get("order") in ("score", "-score")
    if case.path == "/v1/messages" and isinstance(after, str) and re.match("s?-?[0-9.]*:", after) and after.startswith("s") != by_score:
        del case.query["after"]  # a place is one of an order
    if case.path == "/v1/stats" and case.query:
        case.query.pop("after", None)  # a place fits one list of what to group by; links are followed elsewhere
    if case.media_type == LINES and not isinstance(case.body, (str, bytes)):
        case.media_type = "application/json"


def has_hidden_nul(body):
    """Whether U+0000 is where the description speaks of it in words alone: generators make little of a schema that refers to itself."""
    return isinstance(body, dict) and any("\\u0000" in json.dumps(value) for name, value in body.items() if name not in ("id", "text", "query"))


@schemathesis.hook
def filter_case(context, case):
    return (case.media_type != LINES or isinstance(case.body, (str, bytes))) and not has_hidden_nul(case.body)


schemathesis.openapi.format("stats-by", strategies.sampled_from(["label", "source,month", "model,label,hour", "time", "day,member:label", "any", "a,b,week"]))
schemathesis.openapi.format("time-zone", strategies.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "CET-1CEST,M3.5.0,M10.5.0/3"]))
schemathesis.openapi.format("json-object", strategies.sampled_from(["{}", '{"label":"POSITIVE"}', '{"persistedQuery":{"sha256Hash":"0"}}', '{"operationId":"a"}']))
