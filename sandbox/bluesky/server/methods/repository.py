"""``com.atproto.repo.*``, ``com.atproto.sync.getBlob`` and ``com.atproto.identity.*``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.bluesky.errors import XrpcError, authentication_required, invalid_request
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.limits import Charge
from sandbox.bluesky.repository import ANY, Commit, Record, Repository, Swap, Written
from sandbox.bluesky.schema import Boolean, Data, Object, Optional, Schema, Text
from sandbox.bluesky.server.method import (
    ACTOR,
    ADDRESS,
    CURSOR,
    Access,
    File,
    Method,
    Parameter,
    Request,
    limit,
)

_RECORD_LIMIT = 1_000_000


def _create(request: Request) -> Json:
    body = request.body
    written = _own_repository(request).create(
        body["collection"],
        body["record"],
        record_key=body.get("rkey"),
        validate=body.get("validate"),
        swap=_swap(body),
    )
    return _written(written)


def _put(request: Request) -> Json:
    body = request.body
    written = _own_repository(request).put(
        body["collection"],
        body["rkey"],
        body["record"],
        validate=body.get("validate"),
        swap=_swap(body),
    )
    return _written(written)


def _delete(request: Request) -> Json:
    body = request.body
    repository = _own_repository(request)
    commit = repository.delete(body["collection"], body["rkey"], swap=_swap(body))
    return {"commit": _commit(commit)} if commit else {}


def _get(request: Request) -> Json:
    params = request.params
    repository = _repository(request)
    record = repository.find(params["collection"], params["rkey"])
    if record is None or params.get("cid", record.cid) != record.cid:
        uri = f"at://{repository.did}/{params['collection']}/{params['rkey']}"
        raise invalid_request(f"Could not locate record: {uri}", "RecordNotFound")
    return _record(record)


def _list(request: Request) -> Json:
    params = request.params
    found = _repository(request).list(params["collection"])
    cursor = params.get("cursor")
    if params.get("reverse"):
        found = [record for record in reversed(found) if _key(record) > (cursor or "")]
    elif cursor is not None:
        found = [record for record in found if _key(record) < cursor]
    page = found[: params["limit"]]
    answer: dict[str, Any] = {"records": [_record(record) for record in page]}
    return answer | ({"cursor": _key(page[-1])} if page else {})


def _upload(request: Request) -> Json:
    repository = request.network.repository(request.account)
    return {"blob": repository.blobs.upload(request.content, request.content_type).as_json()}


def _get_blob(request: Request) -> File:
    did, cid = request.params["did"], request.params["cid"]
    account = request.network.accounts.find(did)
    if account is None:
        raise invalid_request(f"Could not find repo for DID: {did}", "RepoNotFound")
    blob = request.network.repository(account).blobs.find(cid)
    if blob is None:
        raise invalid_request("Blob not found")
    headers = {
        "content-disposition": f'attachment; filename="{cid}"',
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
    }
    return File(blob.content, blob.mime, headers)


def _resolve_handle(request: Request) -> Json:
    handle = request.params["handle"]
    account = request.network.accounts.find(handle)
    if account is None:
        raise invalid_request("Unable to resolve handle", "HandleNotFound")
    return {"did": account.did}


def _repository(request: Request) -> Repository:
    repo = request.params["repo"]
    account = request.network.accounts.find(repo)
    if account is None:
        raise invalid_request(f"Could not find repo: {repo}")
    return request.network.repository(account)


def _own_repository(request: Request) -> Repository:
    account = request.network.accounts.find(request.body["repo"])
    if account is None:
        raise XrpcError(403, "AccountNotFound", "Account not found")
    if account.status == "takendown":
        raise authentication_required("Account has been taken down", "AccountTakedown")
    if account.status == "deactivated":
        raise authentication_required("Account is deactivated", "AccountDeactivated")
    if account is not request.account:
        raise authentication_required()
    return request.network.repository(account)


def _swap(body: Json) -> Swap:
    return Swap(record=body.get("swapRecord", ANY), commit=body.get("swapCommit"))


def _written(written: Written) -> Json:
    answer: dict[str, Any] = written.record.reference.as_json()
    if written.commit is not None:
        answer["commit"] = _commit(written.commit)
    if written.validation_status is not None:
        answer["validationStatus"] = written.validation_status
    return answer


def _commit(commit: Commit) -> Json:
    return {"cid": commit.cid, "rev": commit.rev}


def _record(record: Record) -> dict[str, Any]:
    return {"uri": str(record.uri), "cid": record.cid, "value": record.value}


def _key(record: Record) -> str:
    return record.uri.record_key


def _writes(points: int) -> Callable[[Request], list[Charge]]:
    def charges(request: Request) -> list[Charge]:
        key = ("write", request.account.did)
        return [Charge(limit, key, points) for limit in request.network.rate_limits.writes]

    return charges


def _upload_charges(request: Request) -> list[Charge]:
    return [Charge(request.network.rate_limits.uploads, ("upload", ADDRESS))]


_COLLECTION = Parameter(Text("nsid"), required=True)
_KEY = Text("record-key", max_bytes=512)
_WHERE = {"repo": Text("at-identifier"), "collection": Text("nsid")}
_SWAP_COMMIT = {"swapCommit": Optional(Text("cid"))}
_WHAT: Mapping[str, Schema] = {"validate": Optional(Boolean()), "record": Data()}

METHODS = (
    Method(
        "com.atproto.repo.createRecord",
        "procedure",
        _create,
        body=Object({**_WHERE, "rkey": Optional(_KEY), **_WHAT, **_SWAP_COMMIT}),
        json_limit=_RECORD_LIMIT,
        charges=_writes(3),
    ),
    Method(
        "com.atproto.repo.putRecord",
        "procedure",
        _put,
        body=Object(
            {
                **_WHERE,
                "rkey": _KEY,
                **_WHAT,
                "swapRecord": Optional(Text("cid"), nullable=True),
                **_SWAP_COMMIT,
            }
        ),
        json_limit=_RECORD_LIMIT,
        charges=_writes(2),
    ),
    Method(
        "com.atproto.repo.deleteRecord",
        "procedure",
        _delete,
        body=Object(
            {
                **_WHERE,
                "rkey": Text("record-key"),
                "swapRecord": Optional(Text("cid")),
                **_SWAP_COMMIT,
            }
        ),
        charges=_writes(1),
    ),
    Method(
        "com.atproto.repo.getRecord",
        "query",
        _get,
        params={
            "repo": ACTOR,
            "collection": _COLLECTION,
            "rkey": Parameter(Text("record-key"), required=True),
            "cid": Parameter(Text("cid")),
        },
        access=Access.PUBLIC,
    ),
    Method(
        "com.atproto.repo.listRecords",
        "query",
        _list,
        params={
            "repo": ACTOR,
            "collection": _COLLECTION,
            "limit": limit(50),
            "cursor": CURSOR,
            "reverse": Parameter(Boolean()),
        },
        access=Access.PUBLIC,
    ),
    Method(
        "com.atproto.repo.uploadBlob", "procedure", _upload, body="bytes", charges=_upload_charges
    ),
    Method(
        "com.atproto.sync.getBlob",
        "query",
        _get_blob,
        params={
            "did": Parameter(Text("did"), required=True),
            "cid": Parameter(Text("cid"), required=True),
        },
        access=Access.PUBLIC,
    ),
    Method(
        "com.atproto.identity.resolveHandle",
        "query",
        _resolve_handle,
        params={"handle": Parameter(Text("handle"), required=True)},
        access=Access.PUBLIC,
    ),
)
