"""What Genesys Cloud answers, as far as the connector reads it. Everything else is ignored."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from actors.messages import Json
from actors.translation.contact import ContactField
from runtime.errors import Effect, Retryable

M = TypeVar("M", bound=BaseModel)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorBody(_Answer):
    """``ErrorBody`` (and ``ErrorInfo``, which has no ``contextId``)."""

    code: str = Field(min_length=1)
    message: str = ""
    context_id: str | None = Field(default=None, alias="contextId")


class Grant(_Answer):
    """The answer to a client credentials grant (RFC 6749); ``expires_in`` is in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: float = Field(gt=0, allow_inf_nan=False)


class LoginRefusal(_Answer):
    """Why a grant was refused (RFC 6749)."""

    error: str
    description: str = Field(default="", alias="error_description")


class ExternalSource(_Answer):
    """``ExternalSource``: whose identifiers a contact is known by."""

    id: str
    name: str


class Contact(_Answer):
    """``ExternalContact``, without what the connector never writes."""

    id: str
    first_name: str | None = Field(default=None, alias="firstName")
    external_system_url: str | None = Field(default=None, alias="externalSystemUrl")

    def fields(self) -> dict[ContactField, str | None]:
        """What the connector writes of it, by the names of ``ExternalContact``."""
        return {"firstName": self.first_name, "externalSystemUrl": self.external_system_url}


def parse_text(model: type[M], text: bytes) -> M | None:
    """Read an answer's bytes; ``None`` if they are no such thing."""
    try:
        return model.model_validate_json(text)
    except ValidationError:
        return None


def read_answer(model: type[M], answer: Json) -> M:
    """Read an answer.

    Raises:
        Retryable: it is not what the operation promises.
    """
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        why = f"Genesys Cloud answered with something that is no {model.__name__}"
        raise Retryable(why, effect=Effect.UNKNOWN) from error


def list_entities(answer: Json) -> list[Json]:
    """The entities of any listing. What is no object is passed over."""
    entities = answer.get("entities")
    listed = entities if isinstance(entities, list) else ()
    return [entity for entity in listed if isinstance(entity, dict)]


def find_ingested(answer: Json) -> dict[str, Json]:
    """The messages in ``OpenSocialNormalizedMessageEntityListing`` by ``channel.messageId``.

    An entity without one is passed over: it confirms nothing.
    """
    found: dict[str, Json] = {}
    for entity in list_entities(answer):
        channel = entity.get("channel")
        message_id = channel.get("messageId") if isinstance(channel, dict) else None
        if isinstance(message_id, str):
            found[message_id] = entity
    return found


def find_id(answer: Json, name: str) -> str | None:
    """An id in an answer, if it is there."""
    found = answer.get(name)
    return found if isinstance(found, str) and found else None
