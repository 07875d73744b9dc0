"""
Log-in through OpenID Connect: a provider that the organisation has says who somebody is, and in which groups.

    provider = Provider(settings)
    address = provider.address(back, attempt)             where the browser is sent
    identity = provider.identity(back, attempt, code)     once it came back

The authorization code flow with PKCE. Nobody but the provider of the settings is asked, and only when somebody logs in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from re import fullmatch
from typing import TYPE_CHECKING, Any, TypeVar, cast

from clusterqa.jsontext import parsed
from clusterqa.settings import SAFE_ADDRESS, Settings
from clusterqa.staff.accounts import AccountError, Identity, Role

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from httpx2 import Response

T = TypeVar("T")

SECONDS = 15.0
"""How long all may take that the provider is asked for at one step of a log-in, to the last byte."""
LARGEST = 1_000_000
"""Bytes of one answer; keys and claims have some thousands."""
LONGEST_SUBJECT = 255
"""Characters of `sub`, as the standard has it."""
LEEWAY = 120
"""Seconds by which the provider's clock and ours may differ."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures that only the provider can make; those with a shared secret could be made by whoever has that."""


class ProviderDown(AccountError):
    """The provider cannot be reached, or is not what the settings say."""

    key = "oidc_down"


class NotConfirmed(AccountError):
    """The provider's answer does not say, or not credibly, who somebody is."""

    key = "oidc_not_confirmed"


class NoGroup(AccountError):
    """Somebody whom the provider knows, in none of the groups that may use the desk."""

    key = "oidc_no_group"

    def __init__(self) -> None:
        super().__init__("This person is in none of the groups of oidc_groups.")


class NoName(AccountError):
    """The provider tells no name for the account."""

    key = "oidc_no_name"

    def __init__(self, claim: str) -> None:
        super().__init__(f"The provider tells no name as {claim}. The setting oidc_name_claim says where to look.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What belongs to one log-in alone, each unguessable: `state` comes back, `nonce` is signed, `verifier` is shown at the end."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider of the settings. Thread-safe; remembers nothing, so that its new keys and addresses hold at once."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self._settings = settings

    def address(self, back: str, attempt: Attempt, language: str) -> str:
        """Where to send the browser, which comes `back`. Raises ProviderDown."""
        return self._in_time(self._address(back, attempt, language))

    async def _address(self, back: str, attempt: Attempt, language: str) -> str:
        async with self._client(back, ProviderDown) as client:
            about = await self._about(client)
            address, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=attempt.state, code_verifier=attempt.verifier,
                nonce=attempt.nonce, ui_locales=language,
            )  # fmt: skip
        return str(address)

    def identity(self, back: str, attempt: Attempt, code: str) -> Identity:
        """Who came back with this code. Raises ProviderDown, NotConfirmed, NoGroup and NoName."""
        claims = self._in_time(self._told_by(back, attempt, code))
        name = _told(claims, self._settings.oidc_name_claim)
        role = self._role(_told(claims, self._settings.oidc_groups_claim))
        if not isinstance(name, str):
            raise NoName(self._settings.oidc_name_claim)
        return Identity(self.issuer, str(claims["sub"]), name, role)

    async def _told_by(self, back: str, attempt: Attempt, code: str) -> dict[str, Any]:
        """The claims about whoever came back with this code."""
        async with self._client(back, ProviderDown) as client:
            about = await self._about(client)
            keys = _json(await client.request("GET", about["jwks_uri"], withhold_token=True))
        async with self._client(back, NotConfirmed, about) as client:
            token = await client.fetch_token(about["token_endpoint"], code=code, code_verifier=attempt.verifier)
            claims = self._claims(token, keys, attempt.nonce)
            wanted = (self._settings.oidc_groups_claim, self._settings.oidc_name_claim)
            if "userinfo_endpoint" in about and any(_told(claims, name) is None for name in wanted):
                more = _json(await client.get(about["userinfo_endpoint"]))
                if more.get("sub") != claims["sub"]:
                    raise NotConfirmed("The provider tells more about somebody else.")
                claims = {**more, **claims}
        return claims

    def way_out(self, back: str) -> str | None:
        """Where one logs out at the provider and comes `back`; None where it has no such place. Raises ProviderDown."""
        from authlib.common.urls import add_params_to_uri

        place = self._in_time(self._way_out(back))
        if place is None:
            return None
        query = {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": back}
        return str(add_params_to_uri(place, query))

    async def _way_out(self, back: str) -> str | None:
        async with self._client(back, ProviderDown) as client:
            about = await self._about(client)
        return about.get("end_session_endpoint")

    def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what asks the provider, in this thread; however slowly it answers, it holds nobody up for longer."""
        try:
            return asyncio.run(asyncio.wait_for(work, SECONDS))
        except TimeoutError as error:
            raise ProviderDown(f"The provider {self.issuer} does not answer within {SECONDS:g} seconds.") from error

    @asynccontextmanager
    async def _client(
        self, back: str, told: Callable[[str], AccountError], about: Mapping[str, Any] | None = None
    ) -> AsyncIterator[AsyncOAuth2Client]:
        """A client of the provider; what goes wrong with it is `told`."""
        import httpx2
        from authlib.common.errors import AuthlibBaseError
        from authlib.integrations.httpx_client import AsyncOAuth2Client
        from joserfc.errors import JoseError

        secret = self._settings.oidc_client_secret
        methods = (about or {}).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        try:
            async with AsyncOAuth2Client(
                self._settings.oidc_client_id, secret or None, redirect_uri=back, scope=self._settings.oidc_scopes,
                code_challenge_method="S256", token_endpoint_auth_method=method if secret else "none", timeout=SECONDS,
                headers={"Accept-Encoding": "identity"}, event_hooks={"response": [_bounded]},
            ) as client:  # fmt: skip
                yield client
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderDown(f"The provider {self.issuer} does not answer ({error}).") from error
        # The libraries raise the last five where an answer has another shape than theirs, or is nested too deeply.
        except (AuthlibBaseError, JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise told(f"The provider {self.issuer} answers otherwise than it must ({error!r}).") from error

    async def _about(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        """What the provider says of itself, which must be the one of the settings; its places are safe to send secrets to."""
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        about = _json(await client.request("GET", address, withhold_token=True))
        if about["issuer"] != self.issuer:
            raise ValueError(f"it calls itself {about['issuer']}")
        places = {name: about[name] for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        optional = {name: about[name] for name in ("userinfo_endpoint", "end_session_endpoint") if about.get(name)}
        for name, place in (places | optional).items():
            if not fullmatch(SAFE_ADDRESS, place):
                raise ValueError(f"its {name} is {place}")
        methods = about.get("token_endpoint_auth_methods_supported")
        return {**places, **optional, "token_endpoint_auth_methods_supported": methods}

    def _claims(self, token: Mapping[str, Any], keys: Any, nonce: str) -> dict[str, Any]:
        """What the token says, once signature, issuer, audience, time and nonce are right."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet

        client = self._settings.oidc_client_id
        decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims, decoded.header,
            {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": client}},
            {"nonce": nonce, "client_id": client, "access_token": token.get("access_token")},
        )  # fmt: skip
        claims.validate(leeway=LEEWAY)
        subject = claims["sub"].encode()  # also raises where it is no text that can be kept
        if not 0 < len(subject) <= LONGEST_SUBJECT or b"\0" in subject:
            raise ValueError("its token names nobody")
        return dict(claims)

    def _role(self, groups: Any) -> Role:
        """The highest role that one of the groups gives; raises NoGroup."""
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        roles = {self._settings.oidc_groups.get(group) for group in named if isinstance(group, str)}
        if "administrator" in roles:
            return "administrator"
        if "editor" in roles:
            return "editor"
        raise NoGroup


async def _bounded(answer: Response) -> None:
    """Let no more in than an answer may have, nor anything that becomes more when it is unpacked."""
    from httpx2 import AsyncByteStream

    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ValueError("it packs its answer, unasked")
    stream = cast(AsyncByteStream, answer.stream)

    class Bounded(AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for part in stream:
                if (size := size + len(part)) > LARGEST:
                    raise ValueError(f"its answer has more than {LARGEST} bytes")
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    answer.stream = Bounded()


def _json(answer: Any) -> dict[str, Any]:
    """The object that an answer holds; a redirect or an error is none."""
    answer.raise_for_status()
    found = parsed(answer.content)
    if not isinstance(found, dict):
        raise ValueError("it sends no object")
    return found


def _told(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by its way through others where dots are in it; None when there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
