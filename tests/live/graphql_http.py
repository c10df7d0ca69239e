"""/graphql held to graphql-http's audit of servers, and its introspection to the schema as graphql-js prints it."""
# needs: node
# npm: graphql graphql-http
# seconds: 10
import os
import re

from graphql_help import node
from serve_raw import Server
from tap import check, run


@check
def audit():
    """graphql-http's audit: what a server must, should and may do"""
    with Server() as s:
        said = node("audit", s)
    assert said[-1] == "61 of 61" and len(said) == 1, "\n".join(said)
    return said[-1]


@check
def introspection():
    """Introspection, through buildClientSchema and printSchema, is the schema"""
    with Server() as s:
        said = node("schema", s, os.path.join(os.environ["SENTI_ROOT"], "lib/serve/schema.graphql"))
    types = [line for line in said if re.match(r"(type|input|enum|scalar|interface|union) ", line)]
    assert said[-1] == "equal" and len(types) > 15, "\n".join(said)
    return f"{len(types)} types"


run()
