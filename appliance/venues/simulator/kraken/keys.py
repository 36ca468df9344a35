"""The paper account's API keys: what each may do, the nonce it used last, the WebSocket tokens it was given."""

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.secret import Secret

TOKENS_MAX: Final = 64
TOKEN_LIFE_S: Final = 900
QUERY: Final = frozenset({"query-funds", "query-open-trades", "query-closed-trades"})
CANCEL: Final = QUERY | {"close-trades", "access-ws"}
TRADE: Final = CANCEL | {"modify-trades"}
WITHDRAW: Final = TRADE | {"withdraw-funds"}
_KEY_BYTES: Final = 42
_SECRET_BYTES: Final = 64


class ApiKey:
    """Hold one key and what it may do."""

    def __init__(self, name: str, key: str, private_key: Secret, permissions: frozenset[str]) -> None:
        """Keep a key that was never used."""
        self.name = name
        self.key = key
        self.private_key = private_key
        self.permissions = permissions
        self.nonce = 0


def drawn_key(name: str, permissions: frozenset[str]) -> ApiKey:
    """Return a new key nobody can guess."""
    private = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return ApiKey(name, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode(), Secret(private), permissions)


def seeded_key(name: str, seed: str, permissions: frozenset[str]) -> ApiKey:
    """Return the key of a seed: for paper money only, since whoever knows the seed has it."""
    public = base64.b64encode(hashlib.sha512(f"key {seed}".encode()).digest()[:_KEY_BYTES]).decode()
    private = base64.b64encode(hashlib.sha512(f"secret {seed}".encode()).digest()).decode()
    return ApiKey(name, public, Secret(private), permissions)


class Keyring:
    """Know the keys and the tokens that are good now."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        """Admit these keys."""
        self.keys = {each.key: each for each in keys}
        self._tokens: OrderedDict[str, tuple[ApiKey, int]] = OrderedDict()

    def issue(self, key: ApiKey, now_ns: int) -> str:
        """Return a token for a key; it opens connections for a quarter of an hour, and those stay open."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (key, now_ns + TOKEN_LIFE_S * NANOSECONDS_PER_SECOND)
        while len(self._tokens) > TOKENS_MAX:
            self._tokens.popitem(last=False)
        return token

    def holder(self, token: str, now_ns: int, used: str = "") -> ApiKey | None:
        """Return the key of a token that is good; one that a connection already used stays good for it."""
        found = self._tokens.get(token)
        if found is None or (found[1] <= now_ns and token != used):
            return None
        return found[0]

    def let_first_withdraw(self) -> None:
        """Let the first key, the trader's, take money out as well."""
        for key in list(self.keys.values())[:1]:
            key.permissions = WITHDRAW

    def expire_tokens(self) -> None:
        """Make every token worthless, also for connections that use one."""
        self._tokens.clear()
