"""A small server of bytes, plain or with TLS, for the fetcher to be led astray by."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Send = Callable[[bytes], Awaitable[None]]
Play = Callable[[Send], Awaitable[None]]


@dataclass
class ByteServer:
    """Answers each path as it is told to.

    Attributes:
        port: where it listens.
        requests: the heads of all requests, oldest first, in lower case.
        names: the names that TLS clients asked for.
    """

    port: int = 0
    requests: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    plays: dict[str, Play] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)

    def answer(self, path: str, content: bytes = b"", *, status: int = 200, **headers: str) -> None:
        """Answer with this."""
        said = {"content_length": str(len(content)), **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in said.items()]
        head = "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""]).encode()

        async def play(send: Send) -> None:
            await send(head + content)

        self.plays[path] = play
        self._whole.add(path)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Deal with one connection, and keep it for as long as whole answers go out on it."""
        try:
            path = await self._receive(stream)
            while path is not None:
                await self.plays[path](stream.send_all)
                path = await self._receive(stream) if path in self._whole else None
        except (trio.BrokenResourceError, ssl.SSLError):
            return
        finally:
            await trio.aclose_forcefully(stream)

    async def _receive(self, stream: trio.abc.Stream) -> str | None:
        """The path of the next request; ``None`` if there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = await stream.receive_some()
            if not more:
                return None
            data += bytes(more)
        self.requests.append(data.decode().lower())
        return data.split()[1].decode()


@asynccontextmanager
async def open_server(context: ssl.SSLContext | None = None) -> AsyncIterator[ByteServer]:
    """Listen on loopback until the block ends; with TLS if there is a context."""
    server = ByteServer()
    listeners: list[trio.abc.Listener[trio.abc.Stream]]
    (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server.port = plain.socket.getsockname()[1]
    listeners = [plain]
    if context is not None:
        context.sni_callback = lambda _socket, name, _context: server.names.append(name)
        listeners = [trio.SSLListener(plain, context)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.serve_listeners, server.serve, listeners))
        yield server
        nursery.cancel_scope.cancel()


def make_contexts(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server of these names, and for clients who trust it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
