"""Strict bodies: how a model is declared, and what a broken rule is called.

The platform's own checks are partly undocumented. Where in doubt, these are the stricter ones:
``null``, empty strings, unknown and read-only properties are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from sandbox.genesys.errors import ApiError

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")

Parsed = TypeVar("Parsed")


class Body(BaseModel):
    """A JSON object of a request. Its fields are written in camel case on the wire."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, data: object) -> object:
        if isinstance(data, Mapping):
            for name, value in data.items():
                if value is None:
                    raise PydanticCustomError("null", "{name} must not be null", {"name": name})
        return data


def _check_time(value: str) -> str:
    if _DATE_TIME.fullmatch(value) is not None:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise PydanticCustomError("date", "not an ISO-8601 date")


def _check_web_address(value: str) -> str:
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname or re.search(r"\s", value):
        raise PydanticCustomError("address", "is not a valid URL")
    return value


Text = Annotated[str, StringConstraints(min_length=1)]
"""A string that is left out rather than empty."""

Time = Annotated[str, AfterValidator(_check_time)]
"""A time of the form ``yyyy-MM-ddTHH:mm:ss[.mmm]Z``, always in UTC."""

WebAddress = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_check_web_address)]

MediaType: TypeAlias = Literal["Image", "Video", "Audio", "File", "Link"]

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


def parse(adapter: TypeAdapter[Parsed], body: object) -> Parsed:
    """Read a parsed JSON body.

    Raises:
        ApiError: 400, about the first rule that it breaks.
    """
    try:
        return adapter.validate_python(body)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)[0]) from error


def _refusal(error: ErrorDetails) -> ApiError:
    # Which element of an array is at fault is not said: the platform does not say it either.
    where = [part for part in error["loc"] if isinstance(part, str)]
    field = ".".join(where) or "body"
    match error["type"]:
        case "extra_forbidden":
            message = f"Value [{field}] is not a valid property for object"
            return ApiError(400, "invalid.property", message)
        case "literal_error":
            return _invalid_value(error, field)
        case "date":
            message = "Dates must be specified as ISO-8601 strings. For example: "
            return ApiError(400, "invalid.date", message + "yyyy-MM-ddTHH:mm:ss.SSSZ")
        case "missing" if where[-2:] == ["channel", "time"]:
            return ApiError(400, "missing.open.channel.date", "Missing open channel date.")
        case kind if kind.endswith(("_type", "_attributes_type")):
            return ApiError(
                400, "bad.request", f"The JSON body of the request was not valid: {field}"
            )
        case _:
            return ApiError(400, "constraint.validation", f"{field}: {error['msg']}")


def _invalid_value(error: ErrorDetails, field: str) -> ApiError:
    context: Mapping[str, Any] = error.get("ctx", {})
    message = (
        f"Value [{error['input']}] is not valid for field type [{field}]. "
        f"Allowable values are: {context.get('expected')}"
    )
    return ApiError(400, "invalid.value", message)
