"""Judging answers by the API's own description."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from terristory.api.openapi import DESCRIPTION

METHODS = ("get", "post", "put", "patch", "delete")
HERE = "urn:openapi"


@cache
def description() -> dict[str, Any]:
    """The description as data."""
    loaded: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    return loaded


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource(HERE, Resource(contents=description(), specification=DRAFT202012))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The paths as patterns; those without a parameter come first (`decisions` is no id)."""
    paths = sorted(description()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "/?"), path) for path in paths]


def described_path(path: str) -> str | None:
    """Return the description's path for a request's path, None when there is none."""
    return next((name for pattern, name in _patterns() if pattern.fullmatch(path)), None)


def at(pointer: str) -> dict[str, Any]:
    """Return what a JSON pointer (`#/components/…`) names."""
    found: Any = description()
    for part in pointer.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return dict(found)


def answer_faults(method: str, path: str, status: int, content_type: str, body: bytes) -> Iterator[str]:
    """Say how an answer departs from the description; nothing for methods and paths that it does not have."""
    name = described_path(path)
    if name is None or method.lower() not in description()["paths"][name]:
        return
    pointer = f"#/paths/{name.replace('/', '~1')}/{method.lower()}/responses/"
    responses = at(pointer.rstrip("/"))
    if str(status) not in responses and status < 400:
        yield f"{status} is not described for {method} {name}"
        return
    pointer += str(status) if str(status) in responses else "default"
    response = at(pointer)
    if "$ref" in response:
        pointer = response["$ref"]
        response = at(pointer)
    yield from _body_faults(response.get("content", {}), pointer, content_type.partition(";")[0], body)


def _body_faults(content: dict[str, Any], pointer: str, mimetype: str, body: bytes) -> Iterator[str]:
    if not content or not body:
        if content and not body:
            yield "it has no body"
        return
    if mimetype not in content:
        yield f"its type is {mimetype}, described as {', '.join(content)}"
    elif "schema" in content[mimetype]:
        schema = {"$ref": f"{HERE}{pointer}/content/{mimetype.replace('/', '~1')}/schema"}
        error = best_match(Draft202012Validator(schema, registry=_registry()).iter_errors(json.loads(body)))
        if error is not None:
            yield f"its body departs from the description at {error.json_path}: {error.message[:300]}"
