"""nautilus_trader on the exported tapes, one OrderBookDeltas a recorded update: `python nautilus.py EVENTS BOOK TICK
DIGITS RUNS`.

Prints a JSON object a line. The strategies are those of `hft.py`; nautilus keeps no place in a queue.
"""

import gc
import json
import sys
import time
from decimal import Decimal

import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

ONE = 1e8
VENUE = Venue("BINANCE")
ID = InstrumentId(Symbol("BTCUSDT"), VENUE)
# Some levels have more digits than the lot size.
QTY_DIGITS = 8


def instrument(tick, digits):
    return CurrencyPair(
        instrument_id=ID,
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=digits,
        size_precision=QTY_DIGITS,
        price_increment=Price(float(tick), digits),
        size_increment=Quantity(0.00001, QTY_DIGITS),
        lot_size=None,
        max_quantity=None,
        min_quantity=None,
        max_notional=None,
        min_notional=None,
        max_price=None,
        min_price=None,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=Decimal(0),
        taker_fee=Decimal("0.0005"),
        ts_event=0,
        ts_init=0,
    )


def read(path, digits):
    rows = np.fromfile(path, dtype="<i8").reshape(-1, 7)
    books = []
    trades = []
    deltas = []
    for number, (kind, last, local, _, side, price, qty) in enumerate(rows.tolist()):
        price = Price(price / ONE, digits)
        size = Quantity(qty / ONE, QTY_DIGITS)
        if kind == 2:
            taker = AggressorSide.BUYER if side > 0 else AggressorSide.SELLER
            trades.append(TradeTick(ID, price, size, taker, TradeId(str(number)), local, local))
            continue
        action = BookAction.ADD if kind == 0 else BookAction.DELETE if qty == 0 else BookAction.UPDATE
        order = BookOrder(OrderSide.BUY if side > 0 else OrderSide.SELL, price, size, 0)
        flags = int(RecordFlag.F_LAST) if last else 0
        deltas.append(OrderBookDelta(ID, action, order, flags, number, local, local))
        if last:
            books.append(OrderBookDeltas(ID, deltas))
            deltas = []
    return (books, trades), len(rows)


class NoOp(Strategy):
    def on_start(self):
        self.subscribe_order_book_deltas(ID, BookType.L2_MBP)
        self.subscribe_trade_ticks(ID)


class Quoting(Strategy):
    def __init__(self, config, tick, digits):
        super().__init__(config)
        self.tick = tick
        self.digits = digits
        self.quotes = {}
        self.counts = [0, 0, 0]
        self.quantity = Quantity(0.001, QTY_DIGITS)

    def on_start(self):
        self.subscribe_order_book_deltas(ID, BookType.L2_MBP)
        self.subscribe_trade_ticks(ID)
        self.clock.set_timer_ns("look", 100_000_000, 0, 0, self.look)

    def look(self, _):
        book = self.cache.order_book(ID)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            return
        self.counts[0] += 1
        self.quote(OrderSide.BUY, Price(float(bid) - self.tick, self.digits))
        self.quote(OrderSide.SELL, Price(float(ask) + self.tick, self.digits))

    def quote(self, side, price):
        order = self.quotes.get(side)
        if order is not None and not order.is_closed:
            if order.price == price:
                return
            self.cancel_order(order)
            self.counts[2] += 1
        order = self.order_factory.limit(ID, side, self.quantity, price, post_only=True)
        self.quotes[side] = order
        self.submit_order(order)
        self.counts[1] += 1


def same_book(book, path):
    levels = np.fromfile(path, dtype="<i8").reshape(-1, 3)
    kept = {}
    for side, all_levels in ((1, book.bids()), (-1, book.asks())):
        for level in all_levels:
            kept[(side, round(float(level.price) * ONE))] = round(float(level.size()) * ONE)
    wanted = {(int(side), int(price)): int(qty) for side, price, qty in levels}
    different = sum(kept.get(key) != qty for key, qty in wanted.items()) + len(kept.keys() - wanted.keys())
    return len(wanted), different


def run(data, tick, digits, quoting):
    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
    )
    engine = BacktestEngine(config)
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(10_000_000, USDT), Money(1_000, BTC)],
        book_type=BookType.L2_MBP,
        latency_model=LatencyModel(base_latency_nanos=1_000_000),
    )
    engine.add_instrument(instrument(tick, digits))
    # By kind: the engine takes the kind of a list from its first item.
    for items in data:
        engine.add_data(items)
    strategy = Quoting(StrategyConfig(), float(tick), digits) if quoting else NoOp(StrategyConfig())
    engine.add_strategy(strategy)
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    engine.run()
    return engine, strategy, time.perf_counter() - begun


def main():
    path, book_path, tick, digits, runs = sys.argv[1:]
    digits, runs = int(digits), int(runs)
    data, count = read(path, digits)
    for quoting in (False, True):
        seconds = []
        told = {}
        for number in range(runs):
            engine, strategy, took = run(data, tick, digits, quoting)
            seconds.append(took)
            if number == runs - 1:
                book = engine.cache.order_book(ID)
                compared, different = same_book(book, book_path)
                told = {"levelsCompared": compared, "levelsDifferent": different}
                if quoting:
                    account = engine.cache.account_for_venue(VENUE)
                    mid = (float(book.best_bid_price()) + float(book.best_ask_price())) / 2
                    base = float(account.balance_total(BTC)) - 1_000
                    quote = float(account.balance_total(USDT)) - 10_000_000
                    orders = engine.cache.orders()
                    told["result"] = strategy.counts
                    told["fills"] = sum(len(order.trade_ids) for order in orders)
                    told["position"] = round(base, 8)
                    told["pnl"] = round(quote + base * mid, 6)
            engine.dispose()
        print(
            json.dumps(
                {
                    "peer": "nautilus_trader",
                    "strategy": "quoting" if quoting else "no_op",
                    "events": count,
                    "items": sum(map(len, data)),
                    "seconds": seconds,
                    **told,
                }
            ),
            flush=True,
        )


main()
