"""Who is on the network: accounts, their passwords and how they may sign in."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

AllowIncoming: TypeAlias = Literal["all", "following", "none"]
"""``chat.bsky.actor.declaration``: who may start a conversation."""


class Scope(enum.StrEnum):
    """What a token may be used for (the PDS's ``AuthScope``)."""

    ACCESS = "com.atproto.access"
    APP_PASSWORD = "com.atproto.appPass"  # noqa: S105 (a name, not a password)
    APP_PASSWORD_PRIVILEGED = "com.atproto.appPassPrivileged"  # noqa: S105
    REFRESH = "com.atproto.refresh"


@dataclass(eq=False, slots=True)
class Account:
    """An account. ``did`` never changes; ``handle`` may. Two are equal if they are the same one.

    ``app_passwords`` maps each app password to the scope of the tokens it gives.
    """

    did: str
    handle: str
    password: str = field(repr=False)
    created_at: datetime
    app_passwords: dict[str, Scope] = field(default_factory=dict, repr=False)
    status: Literal["active", "deactivated", "takendown"] = "active"

    @property
    def email(self) -> str:
        """Where the PDS would write to."""
        return f"{self.handle.split('.')[0]}@example.com"

    def scope_of(self, password: str) -> Scope | None:
        """What a session opened with this password may do; ``None`` if it is no password."""
        if password == self.password:
            return Scope.ACCESS
        return self.app_passwords.get(password)


class Accounts:
    """All accounts, by DID and by handle."""

    def __init__(self) -> None:
        self._by_did: dict[str, Account] = {}
        self._by_handle: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Take in a new account.

        Raises:
            ValueError: the handle is taken.
        """
        self._claim(account.handle, account)
        self._by_did[account.did] = account

    def rename(self, account: Account, handle: str) -> None:
        """Give an account another handle; its DID stays.

        Raises:
            ValueError: the handle is taken.
        """
        self._claim(handle, account)
        if handle != account.handle:
            del self._by_handle[account.handle]
        account.handle = handle

    def find(self, identifier: str) -> Account | None:
        """The account with this DID or handle (in any case), if there is one."""
        return self._by_did.get(identifier) or self._by_handle.get(identifier.lower())

    def find_by_email(self, email: str) -> Account | None:
        """The account with this e-mail address, if there is one."""
        matches = (account for account in self._by_did.values() if account.email == email.lower())
        return next(matches, None)

    def all(self) -> tuple[Account, ...]:
        """All accounts, the oldest first."""
        return tuple(self._by_did.values())

    def _claim(self, handle: str, account: Account) -> None:
        if self._by_handle.get(handle, account) is not account:
            raise ValueError(f"the handle {handle} is taken")
        self._by_handle[handle] = account
