"""The network on the wire: XRPC over HTTP."""

from __future__ import annotations
