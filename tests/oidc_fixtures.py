"""A provider of OpenID Connect on this machine that tells the truth, or whatever lie a test wants it to tell."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "clusterqa", "a secret of the provider"


@dataclass
class LocalProvider:
    """
    `claims` are told of everybody; `about` is told of the provider; `answers` stand in place of what it would say at a path.
    It packs all its answers where `packs`, and where `drips` is "head" or "body" that never comes to its end.
    """

    issuer: str

    def __post_init__(self) -> None:
        self.true_key = RSAKey.generate_key(2048, {"kid": "1"})
        self.tell_the_truth()

    def tell_the_truth(self) -> None:
        self.key: RSAKey = self.true_key
        self.signed_by: Any = None
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, str]] = {}
        self.packs = False
        self.drips = ""
        self.asked: list[str] = []
        self.attempts: dict[str, dict[str, str]] = {}

    def code_for(self, address: str) -> tuple[str, str]:
        """What the browser brings back, code and state, after a person has logged in at this address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (
            query["response_type"] == "code"
            and query["client_id"] == CLIENT
            and query["code_challenge_method"] == "S256"
        )
        code = f"code-{len(self.attempts)}"
        self.attempts[code] = query
        return code, query["state"]

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, str]:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/userinfo",
                "end_session_endpoint": f"{self.issuer}/out", **self.about,
            })  # fmt: skip
        if path == "/keys":
            return 200, json.dumps({"keys": [self.key.as_dict(private=False)]})
        if path == "/userinfo":
            return (200, json.dumps(self.userinfo)) if authorization == "Bearer access" else (401, "{}")
        return self._token(form, authorization) if path == "/token" else (404, "{}")

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, str]:
        attempt = self.attempts.pop(form.get("code", ""), None)
        shown = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        known = b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"
        if (
            attempt is None
            or not known
            or shown != attempt["code_challenge"]
            or form["redirect_uri"] != attempt["redirect_uri"]
        ):
            return 400, json.dumps({"error": "invalid_grant"})
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": attempt["nonce"],
                  "preferred_username": "rasa", "groups": ["redakcija"], **self.claims}  # fmt: skip
        told = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode(self.header, told, self.signed_by or self.key, algorithms=[self.header["alg"]])
        return 200, json.dumps({"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": token})


@contextmanager
def local_provider() -> Iterator[LocalProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, text = provider.answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
            body = gzip.compress(text.encode()) if provider.packs else text.encode()
            self.send_response(status)
            if provider.drips:
                self.drip()
                return
            if provider.packs:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", "application/json")
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def drip(self) -> None:
            if provider.drips == "body":
                self.end_headers()
            with suppress(OSError):  # until the other side has gone
                for number in range(400):
                    self.wfile.write(b" " if provider.drips == "body" else b"X-%d: 1\r\n" % number)
                    self.wfile.flush()
                    time.sleep(0.05)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LocalProvider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
