"""What the platform says when it refuses (Swagger definition ``ErrorBody``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.genesys.wire import Json


class ApiError(Exception):
    """A refusal: raised anywhere while a request is handled, answered as an ``ErrorBody``.

    Args:
        status: the HTTP status.
        code: the platform's word for it, one of those that the Swagger lists for the operation.
        message: a sentence for people.
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def error_body(status: int, code: str, message: str, context_id: str) -> Json:
    """An ``ErrorBody`` as it stands in an answer."""
    return {
        "message": message,
        "code": code,
        "status": status,
        "contextId": context_id,
        "details": [],
        "errors": [],
    }


def missing_token() -> ApiError:
    """No bearer token came with the request."""
    message = "No authentication bearer token specified in authorization header."
    return ApiError(401, "authentication.required", message)


def bad_token() -> ApiError:
    """The token is unknown, expired or revoked."""
    return ApiError(401, "bad.credentials", "Invalid login credentials.")


def missing_all(permissions: Sequence[str]) -> ApiError:
    """The client lacks permissions that are all needed."""
    names = ", ".join(permissions)
    message = (
        "Unable to perform the requested action. "
        f"You are missing the following permission(s): {names}"
    )
    return ApiError(403, "missing.permissions", message)


def missing_any(permissions: Sequence[str]) -> ApiError:
    """The client has none of the permissions of which one is needed."""
    names = ", ".join(permissions)
    message = (
        "Unable to perform the requested action. "
        f"You must have at least one of the following permissions assigned: {names}"
    )
    return ApiError(403, "missing.any.permissions", message)


def not_found(
    code: str = "not.found", message: str = "The requested resource was not found."
) -> ApiError:
    """There is no such thing."""
    return ApiError(404, code, message)


def conflict(
    code: str = "request.conflict",
    message: str = "The request conflicts with the current state of the target resource.",
) -> ApiError:
    """It cannot be done as things stand."""
    return ApiError(409, code, message)


def invalid(message: str) -> ApiError:
    """The body breaks a rule of its field (``constraint.validation``)."""
    return ApiError(400, "constraint.validation", message)


def unprocessable(message: str) -> ApiError:
    """The body is well formed and its content is not acceptable (``validation.failed``)."""
    return ApiError(422, "validation.failed", message)


def too_many_requests(retry_after_s: int) -> ApiError:
    """The token has used up its requests; ``retry_after_s`` until there are new ones."""
    message = f"Rate limit exceeded the maximum. Retry the request in [{retry_after_s}] seconds"
    headers = {"Retry-After": str(retry_after_s)}
    return ApiError(429, "too.many.requests.retry.after", message, headers=headers)
