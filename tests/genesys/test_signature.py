"""Only a body signed with the integration's secret is authentic."""

from __future__ import annotations

import ast
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.genesys.signature import is_signed, make_signature

SECRETS = st.text(st.characters(codec="utf-8"), min_size=1)


def test_the_signature_is_base64_of_the_hmac_over_the_raw_body() -> None:
    """Checked against: printf '{"a":1}' | openssl dgst -sha256 -hmac secret -binary | base64"""
    expected = "sha256=qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ="
    assert make_signature(b'{"a":1}', "secret") == expected
    assert is_signed(b'{"a":1}', expected, ("secret",))


@given(body=st.binary(), secret=SECRETS)
def test_what_is_signed_is_accepted_as_text_and_as_bytes(body: bytes, secret: str) -> None:
    signature = make_signature(body, secret)
    assert is_signed(body, signature, (secret,))
    assert is_signed(body, signature.encode(), (secret,))


@given(body=st.binary(), secret=SECRETS, header=st.text() | st.binary())
def test_no_other_header_is_accepted_and_none_raises(
    body: bytes, secret: str, header: str | bytes
) -> None:
    right = make_signature(body, secret)
    assert is_signed(body, header, (secret,)) == (header in (right, right.encode()))


@given(body=st.binary(min_size=1), secret=SECRETS, data=st.data())
def test_a_body_changed_anywhere_is_refused(body: bytes, secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    assert not is_signed(changed, make_signature(body, secret), (secret,))


@given(body=st.binary(), secret=SECRETS, cut=st.integers(0, 50))
def test_a_shortened_or_lengthened_signature_is_refused(body: bytes, secret: str, cut: int) -> None:
    signature = make_signature(body, secret)
    assert not is_signed(body, signature[:cut], (secret,))
    assert not is_signed(body, signature + "=", (secret,))
    assert not is_signed(body, signature.removeprefix("sha256="), (secret,))


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=ü", "\ud800", b"\xff\xfe"])
def test_missing_short_and_strange_headers_are_refused(signature: str | bytes | None) -> None:
    assert not is_signed(b"body", signature, ("secret",))


def test_two_secrets_are_both_good_while_one_replaces_the_other() -> None:
    old, new = make_signature(b"body", "old"), make_signature(b"body", "new")
    assert is_signed(b"body", old, ("new", "old"))
    assert is_signed(b"body", new, ("new", "old"))
    assert not is_signed(b"body", old, ("new",))


def test_an_empty_secret_signs_nothing() -> None:
    assert not is_signed(b"body", make_signature(b"body", ""), ("",))
    assert not is_signed(b"body", make_signature(b"body", ""), ())


def test_signatures_are_compared_in_constant_time() -> None:
    """By nothing that stops at the first difference, and with every secret: no clock tells this."""
    tree = ast.parse(inspect.getsource(is_signed))
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert [type(node.ops[0]) for node in compared] == [ast.Is]
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.ListComp)]
    assert ["hmac.compare_digest" in ast.unparse(node.elt) for node in lists] == [True]
