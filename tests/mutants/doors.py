"""The guards against strangers: what is taken out, and the tests that have to notice."""

from __future__ import annotations

from tests.mutants.guard import Guard

_DOOR = ("tests/connector/test_door.py",)
_CALLERS = ("tests/connector/test_callers.py", *_DOOR)
_CONNECTIONS = ("tests/runtime/test_connections.py", "tests/runtime/test_serving.py")
_JSON = ("tests/translation/test_guarded_json.py",)
_SIGNATURE = ("tests/genesys/test_signature.py",)
_RECEIVER = ("tests/genesys/test_webhook_receiver.py",)
_OLD = ("tests/genesys/test_replayed_webhooks.py",)
_DASHBOARD = ("tests/connector/dashboard/test_access.py", "tests/connector/dashboard")
_SEALING = ("tests/dedup_store/test_sealing.py",)
_FOREIGN = ("tests/dedup_store/test_foreign_writing.py",)

DOORS = (
    # --- the door ---------------------------------------------------------------------------
    Guard(
        "a stranger's body that is said to be too large is not read",
        "connector/door",
        "if lengths and _read_length(lengths[0]) > self._most_bytes(request):",
        "if False:",
        _DOOR,
    ),
    Guard(
        "a stranger's body is not read beyond the limit",
        "connector/door",
        "if body.size > most_bytes:",
        "if False:",
        _DOOR,
    ),
    Guard(
        "a stranger's headers are counted",
        "connector/door",
        "if len(headers) > MOST_HEADERS or ",
        "if ",
        _DOOR,
    ),
    Guard(
        "a stranger's headers are measured",
        "connector/door",
        " or _measure(headers) > MOST_HEADER_BYTES:",
        ":",
        _DOOR,
    ),
    Guard(
        "a stranger's request has one length",
        "connector/door",
        "if lengths and any(",
        "if False and any(",
        _DOOR,
    ),
    Guard(
        "a stranger's target is a path",
        "connector/door",
        'if not request.scope["path"].startswith("/"):',
        "if False:",
        _DOOR,
    ),
    Guard(
        "a stranger outside of WEBHOOK_ALLOW is turned away",
        "connector/door",
        "if rules.allow and not is_in(",
        "if False and not is_in(",
        _DOOR,
    ),
    Guard(
        "a stranger who fails on and on is answered 429",
        "connector/door",
        "            if wait_s > 0:",
        "            if False:",
        _DOOR,
    ),
    Guard(
        "a stranger's failures are counted where callers can be told apart only",
        "connector/door",
        "self._failures.limited_for_s(request.caller) if rules.proxies else 0.0",
        "self._failures.limited_for_s(request.caller)",
        _DOOR,
    ),
    Guard(
        "a stranger's dripping body ends",
        "connector/door",
        "trio.current_time() + BODY_WITHIN_S",
        "math.inf",
        _DOOR,
    ),
    Guard(
        "strangers' slow bodies make room for others",
        "connector/bodies",
        "            largest.drop()",
        "            return",
        _DOOR,
    ),
    Guard(
        "a stranger cannot write another address",
        "connector/callers",
        "named.pop().decode",
        "named.pop(0).decode",
        _CALLERS,
    ),
    Guard(
        "a stranger's X-Forwarded-For is not believed",
        "connector/callers",
        "while named and is_in(caller, proxies):",
        "while named:",
        _CALLERS,
    ),
    Guard(
        "who has been authentic is never limited",
        "connector/callers",
        "        if proven_at is not None and",
        "        if False and",
        _CALLERS,
    ),
    Guard(
        "strangers cannot fill the table of addresses",
        "connector/callers",
        "if len(self._failed) > MOST_ADDRESSES:",
        "if False:",
        _CALLERS,
    ),
    # --- connections ------------------------------------------------------------------------
    Guard(
        "a stranger's dripping headers end",
        "runtime/connections",
        "            self._deadline = now + self._limits.head_s",
        "            self._deadline = math.inf",
        _CONNECTIONS,
    ),
    Guard(
        "strangers who wait make room for others",
        "runtime/connections",
        "        longest.cut()",
        "        pass",
        _CONNECTIONS,
    ),
    Guard(
        "one stranger does not have all connections",
        "runtime/connections",
        "if self._per_network[network] >= limits.per_address and",
        "if False and",
        _CONNECTIONS,
    ),
    Guard(
        "strangers speak nothing but HTTP/1",
        "runtime/connections",
        'if event.http_version not in (b"1.0", b"1.1"):',
        "if False:",
        _CONNECTIONS,
    ),
    # --- what is signed ---------------------------------------------------------------------
    Guard(
        "a wrong signature does nothing",
        "actors/genesys/webhook_receiver",
        "if not is_signed(",
        "if False and not is_signed(",
        _RECEIVER,
    ),
    Guard(
        "strangers use up nobody's rate",
        "actors/genesys/webhook_receiver",
        "        if not is_signed(",
        "        await self._context.acquire()\n        if not is_signed(",
        _RECEIVER,
    ),
    Guard(
        "a webhook that somebody kept for weeks does nothing",
        "actors/genesys/webhook_receiver",
        "if isinstance(content, AgentMessage) and self._is_old(content):",
        "if False:",
        _OLD,
    ),
    Guard(
        "a signature is compared in constant time",
        "actors/genesys/signature",
        "hmac.compare_digest(make_signature(body, secret).encode(), given)",
        "make_signature(body, secret).encode() == given",
        _SIGNATURE,
    ),
    Guard(
        "an empty secret signs nothing",
        "actors/genesys/signature",
        "        if secret\n",
        "",
        _SIGNATURE,
    ),
    Guard(
        "a body's depth is counted",
        "actors/translation/guarded_json",
        "            if depth > MOST_DEPTH:",
        "            if False:",
        _JSON,
    ),
    Guard(
        "a key is there once",
        "actors/translation/guarded_json",
        "    if len(found) < len(pairs):",
        "    if False:",
        _JSON,
    ),
    Guard(
        "a number is finite",
        "actors/translation/guarded_json",
        "    if not math.isfinite(number):",
        "    if False:",
        _JSON,
    ),
    # --- the dashboard ----------------------------------------------------------------------
    Guard(
        "a visitor's guesses take a second each",
        "connector/dashboard/access",
        "                await trio.sleep(WRONG_COSTS_S)",
        "                await trio.sleep(0)",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's session ends",
        "connector/dashboard/access",
        "if session is None or trio.current_time() >= session.ends_at:",
        "if session is None:",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's levers need the token of the page",
        "connector/dashboard/guard",
        "    return same and comes_from_page(request)",
        "    return comes_from_page(request)",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's levers are pulled from our page",
        "connector/dashboard/guard",
        "    return same and comes_from_page(request)",
        "    return same",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's cookie is not for scripts",
        "connector/dashboard/app",
        "            httponly=True,",
        "            httponly=False,",
        _DASHBOARD,
    ),
    Guard(
        "a visitor logs in from our page",
        "connector/dashboard/app",
        "if not isinstance(access, TokenAccess) or not comes_from_page(request):",
        "if not isinstance(access, TokenAccess):",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's page is in nobody's frame",
        "connector/dashboard/guard",
        '    "X-Frame-Options": "DENY",\n',
        "",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's page is not kept",
        "connector/dashboard/guard",
        '    "Cache-Control": "no-store",\n',
        "",
        _DASHBOARD,
    ),
    Guard(
        "a visitor's events are for our page",
        "connector/dashboard/guard",
        '    "Cross-Origin-Resource-Policy": "same-origin",\n',
        "",
        _DASHBOARD,
    ),
    # --- the store --------------------------------------------------------------------------
    Guard(
        "a reader's copy opens at its place only",
        "actors/dedup_store/sealing",
        'part.encode("utf-8", "replace") for part in place',
        'part.encode("utf-8", "replace") for part in place[:1]',
        _SEALING,
    ),
    Guard(
        "a writer's plain text is not believed",
        "actors/dedup_store/sealing",
        "            if self._takes_plain:",
        "            if True:",
        _SEALING,
    ),
    Guard(
        "a writer's nesting ends nothing",
        "actors/dedup_store/codec",
        "    except (ValueError, KeyError, TypeError, RecursionError) as error:",
        "    except (ValueError, KeyError, TypeError) as error:",
        _FOREIGN,
    ),
)
