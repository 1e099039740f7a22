"""The OpenAPI document of the HTTP interface: every path, and every answer that it may give."""

from __future__ import annotations

from typing import Any

_HEALTH_KEYS = (
    "status", "version", "role", "uptime_s", "store", "journal", "dead_letters", "actors",
)  # fmt: skip
_ANY_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_HTML = {"text/html": {"schema": {"type": "string"}}}

_FROM_THE_DOOR = {
    "400": "The request is no HTTP, or says in two ways how long it is.",
    "413": "The body is too large.",
    "431": "The headers are too large, or too many.",
    "503": "The body did not come in time, or there is no room for it.",
}


def make_document(version: str, *, has_metrics: bool) -> dict[str, Any]:
    """The document, of OpenAPI 3.1. The dashboard is not in it: that is for people.

    Args:
        version: the connector's.
        has_metrics: whether ``/metrics`` is served on the same port.
    """
    metrics = {"/metrics": {"get": _describe_metrics()}} if has_metrics else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bluesky – Genesys Cloud connector",
            "version": version,
            "description": "What Genesys Cloud calls, and what a platform looks at.",
        },
        "paths": {
            "/webhook": {"post": _describe_webhook()},
            "/health": {"get": _describe_health()},
            "/livez": {"get": _describe_probe("live", "Whether a restart would help if not.")},
            "/readyz": {"get": _describe_probe("ready", "Whether webhooks may be sent here.")},
            "/openapi.json": {"get": _describe_itself()},
            **metrics,
        },
        "components": {
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Hub-Signature-256",
                    "description": "`sha256=` and the base64 of HMAC-SHA256 over the raw body, "
                    "keyed with the integration's secret.",
                }
            }
        },
    }


def _describe_webhook() -> dict[str, Any]:
    answers = {
        "200": "Authentic, and recorded; or authentic, and nothing that has to be carried.",
        "401": "The signature is missing or wrong. Nothing was done.",
        "403": "The address is not in WEBHOOK_ALLOW.",
        "429": "Too many requests from this address were refused lately.",
        "503": "It cannot be recorded now, or did not come in time. Genesys Cloud repeats it.",
    }
    return {
        "operationId": "webhook",
        "summary": "Takes the outbound webhook of the Open Messaging integration.",
        "security": [{"signature": []}],
        "requestBody": {
            "required": True,
            "description": "OpenMessageNormalizedMessage. Only the signature says whether it is "
            "authentic; the content type is not looked at.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": _describe_answers({**_FROM_THE_DOOR, **answers}),
    }


def _describe_health() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": list(_HEALTH_KEYS),
        "properties": {
            "status": {"enum": ["ok", "degraded", "down"]},
            "version": {"type": "string"},
            "role": {"enum": ["leader", "standby"]},
            "uptime_s": {"type": "number", "minimum": 0},
            "store": {"type": "object", "required": ["status", "kind", "reason"]},
            "journal": {"type": "object", "required": ["depth", "oldest_s"]},
            "dead_letters": {"type": "integer", "minimum": 0},
            "actors": {"type": "object", "additionalProperties": {"type": "object"}},
        },
    }
    content = {"application/json": {"schema": schema}}
    answers = _describe_answers(_FROM_THE_DOOR)
    answers["200"] = {"description": "It works, or mends itself.", "content": content}
    answers["503"] = {"description": "It is down; or the request came too slowly.",
                      "content": content}  # fmt: skip
    return {"operationId": "health", "summary": "How every actor is.", "responses": answers}


def _describe_probe(name: str, summary: str) -> dict[str, Any]:
    answers = _describe_answers(_FROM_THE_DOOR)
    answers["200"] = {"description": "Yes.", "content": _ANY_TEXT}
    answers["503"] = {"description": "No, and why not; or it came too slowly.",
                      "content": _ANY_TEXT}  # fmt: skip
    return {"operationId": name, "summary": summary, "responses": answers}


def _describe_metrics() -> dict[str, Any]:
    answers = _describe_answers(_FROM_THE_DOOR)
    answers["200"] = {"description": "Figures, as Prometheus reads them.", "content": _ANY_TEXT}
    return {"operationId": "metrics", "summary": "Figures for Prometheus.", "responses": answers}


def _describe_itself() -> dict[str, Any]:
    answers = _describe_answers(_FROM_THE_DOOR)
    answers["200"] = {
        "description": "This document.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["openapi"]}}},
    }
    return {"operationId": "openapi", "summary": "This document.", "responses": answers}


def _describe_answers(answers: dict[str, str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        status: {"description": text} for status, text in sorted(answers.items())
    }
    described["405"] = {
        "description": "Another method than this one. `Allow` names those that there are.",
        "content": _HTML,
    }
    return described
