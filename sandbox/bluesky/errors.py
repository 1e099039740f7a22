"""Refusals, as XRPC puts them on the wire: ``{"error": Name, "message": text}`` and a status."""

from __future__ import annotations

from collections.abc import Mapping


class XrpcError(Exception):
    """A refusal. ``status`` is the HTTP status, ``error`` the name that clients match on."""

    def __init__(
        self, status: int, error: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {error}: {message}")
        self.status = status
        self.error = error
        self.message = message
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, str]:
        """The JSON body of the answer."""
        return {"error": self.error, "message": self.message}


def invalid_request(message: str, error: str = "InvalidRequest") -> XrpcError:
    """400: most refusals, expired tokens and things that are not there included."""
    return XrpcError(400, error, message)


def authentication_required(
    message: str = "Authentication Required", error: str = "AuthenticationRequired"
) -> XrpcError:
    """401: no token, a wrong password, or another's repository."""
    return XrpcError(401, error, message)


def not_implemented() -> XrpcError:
    """501: no such method here."""
    return XrpcError(501, "MethodNotImplemented", "Method Not Implemented")


def internal_error(status: int = 500) -> XrpcError:
    """500, or 502 where the PDS passes on a failure of the AppView: details are never told."""
    return XrpcError(status, "InternalServerError", "Internal Server Error")
