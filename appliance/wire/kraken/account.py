"""What an authenticated connection says: executions, balances, and the answers to requests.

These messages keep the venue's own names and carry amounts as exact decimals: an execution after the first need not
name its instrument, so only who knows the order can turn an amount into lots. A field that is not known refuses the
message: an account is reconciled rather than guessed at.
"""

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.wire.kraken import answers
from appliance.wire.kraken.numbers import moment_ns, unsound
from appliance.wire.kraken.refusals import Reason, Refused, judged, parsed, refused
from appliance.wire.kraken.schema import Envelope, Kind

ENTRIES_MAX: Final = 5_000
Text = Annotated[str, Meta(max_length=256)]
Optional = Decimal | UnsetType


class AccountPart(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Be the common parent of what these messages are made of."""


class Fee(AccountPart, frozen=True, gc=False):
    """Carry a fee in one asset."""

    asset: Text
    qty: Decimal


class Trigger(AccountPart, frozen=True, gc=False):
    """Describe what sets an order off."""

    price: Optional = UNSET
    price_type: Text | UnsetType = UNSET
    reference: Text | UnsetType = UNSET
    status: Text | UnsetType = UNSET
    actual_price: Optional = UNSET
    peak_price: Optional = UNSET
    last_price: Optional = UNSET
    timestamp: Text | UnsetType = UNSET


class Contingent(AccountPart, frozen=True, gc=False):
    """Describe the order that another one places when it fills."""

    order_type: Text
    trigger_price: Optional = UNSET
    trigger_price_type: Text | UnsetType = UNSET
    limit_price: Optional = UNSET
    limit_price_type: Text | UnsetType = UNSET


class Execution(AccountPart, frozen=True, gc=False):
    """Report one step in an order's life; what did not change is unset."""

    order_id: Text
    exec_type: Text
    timestamp: Text
    order_status: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_userref: int | UnsetType = UNSET
    exec_id: Text | UnsetType = UNSET
    trade_id: int | UnsetType = UNSET
    symbol: Text | UnsetType = UNSET
    side: Text | UnsetType = UNSET
    order_type: Text | UnsetType = UNSET
    order_qty: Optional = UNSET
    cash_order_qty: Optional = UNSET
    display_qty: Optional = UNSET
    display_qty_remain: Optional = UNSET
    limit_price: Optional = UNSET
    limit_price_type: Text | UnsetType = UNSET
    stop_price: Optional = UNSET
    trigger: Text | UnsetType = UNSET
    triggered_price: Optional = UNSET
    triggers: Trigger | UnsetType = UNSET
    contingent: Contingent | UnsetType = UNSET
    time_in_force: Text | UnsetType = UNSET
    effective_time: Text | UnsetType = UNSET
    expire_time: Text | UnsetType = UNSET
    last_qty: Optional = UNSET
    last_price: Optional = UNSET
    cost: Optional = UNSET
    cum_qty: Optional = UNSET
    cum_cost: Optional = UNSET
    avg_price: Optional = UNSET
    fees: Annotated[tuple[Fee, ...], Meta(max_length=16)] | UnsetType = UNSET
    fee_usd_equiv: Optional = UNSET
    fee_ccy_pref: Text | UnsetType = UNSET
    liquidity_ind: Text | UnsetType = UNSET
    liquidated: bool | UnsetType = UNSET
    margin: bool | UnsetType = UNSET
    margin_borrow: bool | UnsetType = UNSET
    no_mpp: bool | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    reduce_only: bool | UnsetType = UNSET
    amended: bool | UnsetType = UNSET
    position_status: Text | UnsetType = UNSET
    order_ref_id: Text | UnsetType = UNSET
    ext_ord_id: Text | UnsetType = UNSET
    ext_exec_id: Text | UnsetType = UNSET
    sender_sub_id: Text | UnsetType = UNSET
    user: Text | UnsetType = UNSET
    reason: Text | UnsetType = UNSET
    cancel_reason: Text | UnsetType = UNSET

    def moment_ns(self) -> int | Refused:
        """Return when it happened at the venue."""
        return moment_ns(self.timestamp)


class Wallet(AccountPart, frozen=True, gc=False):
    """Carry the part of a balance that lies in one wallet."""

    type: Text
    id: Text
    balance: Decimal


class Balance(AccountPart, frozen=True, gc=False):
    """Carry one asset's balance, and in an update the ledger entry that changed it."""

    asset: Text
    balance: Decimal
    asset_class: Text | UnsetType = UNSET
    wallets: Annotated[tuple[Wallet, ...], Meta(max_length=64)] | UnsetType = UNSET
    ledger_id: Text | UnsetType = UNSET
    ref_id: Text | UnsetType = UNSET
    timestamp: Text | UnsetType = UNSET
    type: Text | UnsetType = UNSET
    subtype: Text | UnsetType = UNSET
    category: Text | UnsetType = UNSET
    wallet_type: Text | UnsetType = UNSET
    wallet_id: Text | UnsetType = UNSET
    amount: Optional = UNSET
    fee: Optional = UNSET
    user: Text | UnsetType = UNSET


class Executions(AccountPart, frozen=True, gc=False):
    """Carry reports of orders; the sequence rises by one with every message of the channel."""

    channel: Text
    type: Kind
    data: Annotated[tuple[Execution, ...], Meta(max_length=ENTRIES_MAX)]
    sequence: Annotated[int, Meta(ge=0)]


class Balances(AccountPart, frozen=True, gc=False):
    """Carry balances; the sequence rises by one with every message of the channel."""

    channel: Text
    type: Kind
    data: Annotated[tuple[Balance, ...], Meta(max_length=ENTRIES_MAX)]
    sequence: Annotated[int, Meta(ge=0)]


AccountMessage = Executions | Balances | answers.Answer


class AccountDecoder:
    """Decode the account's channels and every answer to a request, of either connection."""

    def __init__(self) -> None:
        self._envelope = msgspec.json.Decoder(Envelope)
        self._executions = msgspec.json.Decoder(Executions)
        self._balances = msgspec.json.Decoder(Balances)
        self._answers = answers.AnswerDecoder()

    def decode(self, frame: bytes) -> AccountMessage | Refused:
        """Return the message of a frame, or why it is none."""
        unfit = judged(frame)
        if unfit is not None:
            return unfit
        envelope = parsed(self._envelope, frame)
        if isinstance(envelope, Refused):
            return envelope
        if envelope.channel == "executions":
            executions = parsed(self._executions, frame)
            return unsound(executions) or _timely(executions)
        if envelope.channel == "balances":
            balances = parsed(self._balances, frame)
            return unsound(balances) or balances
        if envelope.channel is UNSET:
            return self._answers.decode(frame)
        return refused(Reason.UNKNOWN_CHANNEL, envelope.channel)


def _timely(executions: Executions | Refused) -> Executions | Refused:
    if isinstance(executions, Refused):
        return executions
    untimely = (moment for each in executions.data if isinstance(moment := each.moment_ns(), Refused))
    return next(untimely, executions)
