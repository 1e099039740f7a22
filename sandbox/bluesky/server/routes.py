"""The routes: where methods, images and videos are found."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quart import Response, request
from quart_trio import QuartTrio

from sandbox.bluesky.blobs import Blob
from sandbox.bluesky.errors import XrpcError, internal_error
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.server.dispatch import Incoming, answer
from sandbox.bluesky.server.method import Answer, File

VERSION = "0.5.35"
"""The release of the PDS that this server behaves like."""

_logger = logging.getLogger(__name__)
_CORS = {"access-control-allow-origin": "*"}
_STILL = Path(__file__).with_name("still.svg")


def create_routes(network: BlueskyNetwork) -> QuartTrio:
    """``/xrpc/<nsid>``; images that views point at under ``/img/``, videos under ``/vid/``."""
    app = QuartTrio("sandbox.bluesky")

    @app.get("/xrpc/_health")
    async def health() -> dict[str, Any]:
        return {"version": VERSION}

    @app.route("/xrpc/<nsid>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def xrpc(nsid: str) -> Response:
        content = b"".join([part async for part in request.body])
        incoming = Incoming(
            nsid=nsid,
            http_method=request.method,
            pairs=list(request.args.items(multi=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            content=content,
            base_url=request.host_url.rstrip("/"),
        )
        try:
            answered, headers = answer(network, incoming)
        except XrpcError as error:
            return _json(error.body, error.status, error.headers)
        except Exception:
            # A mistake of this server: told like any server's, and loudly in the log.
            _logger.exception("cannot answer %s %s", request.method, nsid)
            failure = internal_error()
            return _json(failure.body, failure.status, {})
        return _respond(answered, dict(headers))

    @app.get("/img/<preset>/plain/<did>/<path:cid>")
    async def image(preset: str, did: str, cid: str) -> Response:
        del preset  # the real server scales and converts; this one shows the original
        return _file(_find_blob(network, did, cid.partition("@")[0]), "Image not found")

    @app.get("/vid/<did>/<cid>/playlist.m3u8")
    async def video(did: str, cid: str) -> Response:
        # The real server makes streams of several sizes; this one hands out the video itself.
        return _file(_find_blob(network, did, cid), "Video not found")

    @app.get("/vid/<did>/<cid>/thumbnail.jpg")
    async def thumbnail(did: str, cid: str) -> Response:
        # The real server takes a picture out of the video; here the same one stands for them all.
        if _find_blob(network, did, cid) is None:
            return _file(None, "Video not found")
        return Response(_STILL.read_bytes(), content_type="image/svg+xml", headers=_CORS)

    return app


def _find_blob(network: BlueskyNetwork, did: str, cid: str) -> Blob | None:
    account = network.accounts.find(did)
    return network.repository(account).blobs.find(cid) if account else None


def _file(blob: Blob | None, otherwise: str) -> Response:
    if blob is None:
        return Response(otherwise, status=404, content_type="text/plain")
    return Response(blob.content, content_type=blob.mime, headers=_CORS)


def _respond(answered: Answer, headers: dict[str, str]) -> Response:
    if answered is None:
        empty = Response(b"", status=200, headers={**_CORS, **headers})
        del empty.headers["content-type"]
        return empty
    if isinstance(answered, File):
        shown = {**_CORS, **headers, **answered.headers}
        return Response(answered.content, content_type=answered.mime, headers=shown)
    return _json(answered, 200, headers)


def _json(body: Json, status: int, headers: Mapping[str, str]) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    kind = "application/json; charset=utf-8"
    return Response(content, status=status, content_type=kind, headers={**_CORS, **headers})
