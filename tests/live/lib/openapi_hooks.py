"""What schemathesis must know of NDJSON: it is sent as it is written, and what is not text cannot be sent at all."""
import schemathesis

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
    if case.media_type == LINES and not isinstance(case.body, (str, bytes)):
        case.media_type = "application/json"


@schemathesis.hook
def filter_case(context, case):
    return case.media_type != LINES or isinstance(case.body, (str, bytes))
