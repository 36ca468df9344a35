"""Questions over REST: the token of the order connection, one order, or the whole account.

An answer that does not come, or that cannot be understood, is no answer: the trader asks again on its own schedule. How
many questions may be open at once is bounded.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import AskAccount, AskOrder
from appliance.core.errors import ApplianceError, WireError
from appliance.core.events import AccountReported, AnyEvent, KeyRejected, OrderReported
from appliance.core.secret import Secret
from appliance.venues.kraken.rest import RestClient
from appliance.wire.kraken import rest
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.refusals import Refused
from appliance.wire.kraken.reports import Account, account_report, not_found, order_report

ACCOUNTS_MAX: Final = 1
ORDERS_MAX: Final = 8
PAGES_MAX: Final = 20
PROBLEMS_MAX: Final = 64
_LETTERS_MAX: Final = 200
_OVERLAP_S: Final = 1
# The venue's words for a key that it does not know, or no longer.
KEY_REJECTIONS: Final = ("EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied")
_WITHDRAWING: Final = "withdraw"
# What trading needs, in the names of the venue's own key information; to look is no harm.
_TRADING: Final = frozenset({"modify-trades", "close-trades", "access-ws", "export-data"})
_LOOKING: Final = "query-"

_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)
T = TypeVar("T")
Post = Callable[[AnyEvent], None]


class AccountAsker:
    """Ask, and post what the venue answers."""

    def __init__(self, client: RestClient, names: Names, clock: Clock, say: Callable[[str], None]) -> None:
        """Ask through a REST client, in the names the venue has for our instruments; problems are said once each."""
        self._say = say
        self._client = client
        self._names = names
        self._clock = clock
        self._tasks: dict[str, set[asyncio.Task[None]]] = {"account": set(), "order": set()}
        self._orders: set[str] = set()
        self.refused: Counter[str] = Counter()
        self._timer_taken = False

    async def token(self) -> Secret:
        """Return a fresh token for the authenticated channels."""
        return Secret((await self._private(rest.TOKEN, "GetWebSocketsToken")).token)

    async def key_problem(self) -> str:
        """Return why the key must not be used, or nothing; an answer that is neither is raised, and asked for again."""
        found = rest.result(rest.KEY_INFO, await self._client.private("GetApiKeyInfo"))
        if isinstance(found, rest.Failed) and found.reason.startswith(KEY_REJECTIONS):
            return f"the venue says {found.reason}"
        return _excess(understood(found, "GetApiKeyInfo").permissions)

    async def timer_problem(self) -> str:
        """Return why the venue's own timer cannot be relied on, or nothing; asked until the venue has taken it once."""
        if self._timer_taken:
            return ""
        # Tried by switching it off, which must not happen to one that watches over orders; who has some has had it.
        if (await self._private(rest.OPEN_ORDERS, "OpenOrders")).open:
            return ""
        found = rest.result(_ANYTHING, await self._client.private("CancelAllOrdersAfter", {"timeout": "0"}))
        if isinstance(found, rest.Failed) and found.reason.startswith((*KEY_REJECTIONS, "EGeneral:")):
            return f"the venue's timer, which cancels when this box falls silent, is refused to it ({found.reason})"
        understood(found, "CancelAllOrdersAfter")
        self._timer_taken = True
        return ""

    def ask_account(self, command: AskAccount, post: Post) -> bool:
        """Ask for the whole account, or return False when it is being asked for already."""
        return self._begin("account", ACCOUNTS_MAX, self._account(command), post)

    def ask_order(self, command: AskOrder, post: Post) -> bool:
        """Ask for one order, or return False when too many questions are open."""
        return self._begin("order", ORDERS_MAX, self._order(command.client_id), post)

    def close(self) -> None:
        """Give up every open question."""
        for tasks in self._tasks.values():
            for task in tasks:
                task.cancel()

    def _begin(self, kind: str, limit: int, question: Coroutine[Any, Any, AnyEvent], post: Post) -> bool:
        tasks = self._tasks[kind]
        if len(tasks) >= limit:
            question.close()
            return False
        task = asyncio.get_running_loop().create_task(self._answer(question, post), name=f"ask {kind}")
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return True

    async def _answer(self, question: Coroutine[Any, Any, AnyEvent], post: Post) -> None:
        try:
            post(await question)
        except _KeyRefused as problem:
            post(KeyRejected(str(problem)))
        except ApplianceError as problem:
            told = str(problem)[:_LETTERS_MAX]
            if told not in self.refused and len(self.refused) < PROBLEMS_MAX:
                self._say(f"asking the venue: {told}")
                self.refused[told] = 0
            if told in self.refused:
                self.refused[told] += 1

    async def _account(self, command: AskAccount) -> AccountReported:
        start = str(max(0, command.trades_from_ns // NANOSECONDS_PER_SECOND - _OVERLAP_S))
        balances = await self._private(rest.BALANCES, "Balance")
        opened = (await self._private(rest.OPEN_ORDERS, "OpenOrders")).open
        trades, complete = await self._trades(start)
        closed: dict[str, rest.OrderInfo] = {}
        # Whose a trade was is mostly said with it; only for one of an order that has ended must the ended be asked for.
        if any(not trade.cl_ord_id and trade.ordertxid not in opened for trade in trades.values()):
            closed, closed_complete = await self._closed(start)
            complete = complete and closed_complete
        account = Account(balances, opened, closed, trades, complete, self._clock.wall_ns())
        return _understood(account_report(command.request, account, self._names))

    async def _order(self, client_id: str) -> OrderReported:
        # First the open ones, then the ended: an order that moves meanwhile moves that way and is seen.
        named = {"cl_ord_id": client_id}
        opened = (await self._private(rest.OPEN_ORDERS, "OpenOrders", named)).open
        found = _only(client_id, opened) or _only(
            client_id, (await self._private(rest.CLOSED_ORDERS, "ClosedOrders", named)).closed
        )
        if found is None:
            return not_found(client_id, self._clock.wall_ns())
        order_id, info = found
        trades: Mapping[str, rest.TradeInfo] = {}
        if info.vol_exec:
            start = str(max(0, int(info.opentm) - _OVERLAP_S))
            trades, _ = await self._trades(start)
        return _understood(order_report(client_id, order_id, info, trades, self._names, self._clock.wall_ns()))

    async def _closed(self, start: str) -> tuple[dict[str, rest.OrderInfo], bool]:
        found: dict[str, rest.OrderInfo] = {}
        for _ in range(PAGES_MAX):
            fields = {"start": start, "closetime": "close", "ofs": str(len(found))}
            page = await self._private(rest.CLOSED_ORDERS, "ClosedOrders", fields)
            fresh = page.closed.keys() - found.keys()
            found |= page.closed
            if not fresh or len(found) >= page.count:
                return found, len(found) >= page.count
        return found, False

    async def _trades(self, start: str) -> tuple[dict[str, rest.TradeInfo], bool]:
        found: dict[str, rest.TradeInfo] = {}
        for _ in range(PAGES_MAX):
            page = await self._private(rest.TRADES_HISTORY, "TradesHistory", {"start": start, "ofs": str(len(found))})
            fresh = page.trades.keys() - found.keys()
            found |= page.trades
            if not fresh or len(found) >= page.count:
                return found, len(found) >= page.count
        return found, False

    async def _private(
        self, decoder: "msgspec.json.Decoder[T]", name: str, fields: Mapping[str, str] | None = None
    ) -> T:
        found: T | rest.Failed | Refused = rest.result(decoder, await self._client.private(name, fields))
        if isinstance(found, rest.Failed) and found.reason.startswith(KEY_REJECTIONS):
            raise _KeyRefused(f"the venue says {found.reason}, to {name}")
        return understood(found, name)


class _KeyRefused(WireError):
    """Report that the venue does not take the key any more."""


def _excess(permissions: Sequence[str]) -> str:
    """Return what is wrong with a key that may do this; a permission that nobody here knows is one too many."""
    names = [name.casefold() for name in permissions]
    taking = [name for name in names if _WITHDRAWING in name]
    if taking:
        return f"it may take money out ({', '.join(taking)}); make one that may only trade"
    more = [name for name in names if name not in _TRADING and not name.startswith(_LOOKING)]
    return f"it may do more than trading needs ({', '.join(more)}); make one that may only trade" if more else ""


def understood(found: T | rest.Failed | Refused, name: str) -> T:
    """Return a result, or raise what the venue said instead."""
    if isinstance(found, rest.Failed):
        raise WireError(f"the venue refused {name}: {found.reason}")
    if isinstance(found, Refused):
        raise WireError(f"the venue's answer to {name} cannot be understood: {found.reason} ({found.detail})")
    return found


def _understood(report: T | Refused) -> T:
    if isinstance(report, Refused):
        raise WireError(f"the venue's account cannot be told in our terms: {report.reason} ({report.detail})")
    return report


def _only(client_id: str, orders: Mapping[str, rest.OrderInfo]) -> tuple[str, rest.OrderInfo] | None:
    return next(((key, info) for key, info in orders.items() if info.cl_ord_id == client_id), None)
