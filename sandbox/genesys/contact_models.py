"""What may be sent to the external contacts operations.

Of ``ExternalContact`` the sandbox knows names, addresses, phones and identifiers. It does not know
the other networks' accounts, organizations and custom fields, and refuses them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter
from pydantic_core import PydanticCustomError

from sandbox.genesys.checks import Body, Int64, Text, Time, WebAddress

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=256, pattern=r"^[^@\s]+@[^@\s]+$")
]
IdentifierValue = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)
]

IdentifierType: TypeAlias = Literal[
    "SocialLine",
    "SocialFacebook",
    "SocialTwitter",
    "SocialWhatsapp",
    "SocialInstagram",
    "SocialWhatsappBsuid",
    "AppleOpaqueId",
    "Email",
    "Phone",
    "Cookie",
    "ExternalId",
]
FieldAction: TypeAlias = Literal["AlwaysUseProvided", "PreferExisting", "PreferProvided"]
ArrayAction: TypeAlias = Literal["Replace", "Extend", "Fill"]


class Division(Body):
    """``WritableStarrableDivision``."""

    id: Text | None = None
    name: Text | None = None


class LinkConfiguration(Body):
    """``LinkConfiguration``."""

    uri_template: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=400)]


class ExternalSource(Body):
    """``ExternalSource``. The Swagger wants its name even where it is only referred to."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    id: Text | None = None
    active: bool | None = None
    link_configuration: LinkConfiguration | None = None


class ExternalId(Body):
    """``ExternalId``."""

    external_source: ExternalSource
    value: IdentifierValue


class Identifier(Body):
    """``ContactIdentifier``."""

    type: IdentifierType
    value: IdentifierValue
    division: Division | None = None
    date_created: Time | None = None
    external_source: ExternalSource | None = None


class PhoneNumber(Body):
    """``PhoneNumber``."""

    display: Annotated[Text, StringConstraints(max_length=512)] | None = None
    extension: Int64 | None = None
    accepts_sms: Annotated[bool | None, Field(alias="acceptsSMS")] = None
    normalization_country_code: Text | None = None
    user_input: Text | None = None
    e164: Text | None = None
    country_code: Annotated[Text, StringConstraints(max_length=4)] | None = None


class Address(Body):
    """``ContactAddress``."""

    address1: Annotated[str, StringConstraints(max_length=200)] | None = None
    address2: Annotated[str, StringConstraints(max_length=200)] | None = None
    city: Annotated[str, StringConstraints(max_length=100)] | None = None
    state: Annotated[str, StringConstraints(max_length=50)] | None = None
    postal_code: Annotated[str, StringConstraints(max_length=25)] | None = None
    country_code: Annotated[str, StringConstraints(max_length=25)] | None = None


def _check_no_repeats(external_ids: list[ExternalId]) -> list[ExternalId]:
    written = [external_id.model_dump_json() for external_id in external_ids]
    if len(set(written)) < len(written):
        raise PydanticCustomError("unique", "must not contain an item twice")
    return external_ids


class Contact(Body):
    """``ExternalContact``."""

    id: Text | None = None
    division: Division | None = None
    first_name: Name | None = None
    middle_name: Name | None = None
    last_name: Name | None = None
    salutation: Name | None = None
    title: Name | None = None
    work_phone: PhoneNumber | None = None
    cell_phone: PhoneNumber | None = None
    home_phone: PhoneNumber | None = None
    other_phone: PhoneNumber | None = None
    work_email: Email | None = None
    personal_email: Email | None = None
    other_email: Email | None = None
    address: Address | None = None
    external_ids: (
        Annotated[list[ExternalId], Field(max_length=10), AfterValidator(_check_no_repeats)] | None
    ) = None
    identifiers: list[Identifier] | None = None
    external_system_url: WebAddress | None = None
    survey_opt_out: bool | None = None


class FieldRule(Body):
    """``EnrichFieldRule``."""

    field: Annotated[str, StringConstraints(pattern=r"^\$(\.\w+)+$")] | None = None
    action: FieldAction | None = None
    array_action: ArrayAction | None = None


class FieldRules(Body):
    """``EnrichFieldRules``."""

    default_action: FieldAction = "PreferProvided"
    default_array_action: ArrayAction = "Fill"
    rules: list[FieldRule] | None = None


class EnrichOptions(Body):
    """``ContactEnrichOptions``."""

    promote: bool | None = None


class EnrichRequest(Body):
    """``ContactEnrichRequest``."""

    action: Literal["Merge", "Upsert", "Update", "Insert"]
    matching_identifiers: Annotated[list[Identifier], Field(min_length=1, max_length=25)]
    id: Text | None = None
    division: Division | None = None
    contact: Contact | None = None
    field_rules: FieldRules | None = None
    options: EnrichOptions | None = None


class BulkEnrichRequest(Body):
    """``BulkContactsEnrichRequest``: up to ten operations."""

    entities: Annotated[list[EnrichRequest], Field(max_length=10)]


class Change(Body):
    """``ContactsPatchChange``. ``value`` may be any JSON."""

    field: Annotated[str, StringConstraints(pattern=r"^\$(\.\w+)+$")]
    action: Literal[
        "UpdateIfEmpty",
        "UpdateIfExists",
        "Update",
        "AppendToCollection",
        "Remove",
        "RemoveFromCollection",
    ]
    value: Any = None


class PatchRequest(Body):
    """``ExternalContactsPatchRequest``."""

    changes: list[Change]


CONTACT = TypeAdapter(Contact)
ENRICH = TypeAdapter(EnrichRequest)
BULK_ENRICH = TypeAdapter(BulkEnrichRequest)
IDENTIFIER = TypeAdapter(Identifier)
PATCH = TypeAdapter(PatchRequest)
EXTERNAL_SOURCE = TypeAdapter(ExternalSource)
