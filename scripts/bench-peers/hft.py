"""hftbacktest on the exported tapes: `python hft.py EVENTS BOOK TICK LOT RUNS`.

Prints a JSON object a line: seconds of every run, and what came of it. The market's conditions are those of
`flashpod-bench --only backtest-spot`: 0.001 a side, post-only, one tick behind the best price, looked at every 100 ms,
1 ms each way, makers free, takers 5 basis points.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.data.validation import correct_event_order, validate_event_order
from hftbacktest.types import event_dtype
from numba import njit

ONE = 1e8
STEP = 100_000_000


def events(path):
    """The tape as hftbacktest's own rows: each once for the exchange's clock and once for the receiver's, as its
    converters make them."""
    rows = np.fromfile(path, dtype="<i8").reshape(-1, 7)
    kinds = np.array([DEPTH_SNAPSHOT_EVENT, DEPTH_EVENT, TRADE_EVENT], dtype="u8")
    data = np.zeros(len(rows), dtype=event_dtype)
    side = np.where(rows[:, 4] > 0, np.uint64(BUY_EVENT), np.uint64(SELL_EVENT))
    data["ev"] = kinds[rows[:, 0]] | side
    data["exch_ts"] = rows[:, 3] * 1_000_000
    data["local_ts"] = rows[:, 2]
    data["px"] = rows[:, 5] / ONE
    data["qty"] = rows[:, 6] / ONE
    # What was received before it was made, by two clocks, is received when it was made.
    data["local_ts"] = np.maximum(data["local_ts"], data["exch_ts"])
    exchange = np.argsort(data["exch_ts"], kind="stable")
    local = np.argsort(data["local_ts"], kind="stable")
    ordered = correct_event_order(data, exchange, local)
    validate_event_order(ordered)
    return ordered, len(rows)


@njit
def no_op(hbt, step):
    steps = 0
    while hbt.elapse(step) == 0:
        steps += 1
    return steps


@njit
def quoting(hbt, step):
    steps = 0
    submits = 0
    cancels = 0
    tick = hbt.depth(0).tick_size
    while hbt.elapse(step) == 0:
        steps += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid = depth.best_bid_tick - 1
        ask = depth.best_ask_tick + 1
        have_bid = False
        have_ask = False
        orders = hbt.orders(0)
        values = orders.values()
        while values.has_next():
            order = values.get()
            wanted = bid if order.side == 1 else ask
            if order.price_tick == wanted:
                if order.side == 1:
                    have_bid = True
                else:
                    have_ask = True
            elif order.cancellable:
                hbt.cancel(0, order.order_id, False)
                cancels += 1
        if not have_bid:
            hbt.submit_buy_order(0, submits + 1, bid * tick, 0.001, GTX, LIMIT, False)
            submits += 1
        if not have_ask:
            hbt.submit_sell_order(0, submits + 1, ask * tick, 0.001, GTX, LIMIT, False)
            submits += 1
    return steps, submits, cancels


def backtest(kind, data, tick, lot):
    asset = (
        BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(1_000_000, 1_000_000)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0005)
        .tick_size(tick)
        .lot_size(lot)
    )
    if kind == "ROIVector":
        best = float(data["px"][0])
        return ROIVectorMarketDepthBacktest([asset.roi_lb(best * 0.8).roi_ub(best * 1.2)])
    return HashMapMarketDepthBacktest([asset])


def same_book(hbt, book_path, tick, kind):
    """Levels of our final book within the range that was kept, and how many of them differ."""
    depth = hbt.depth(0)
    levels = np.fromfile(book_path, dtype="<i8").reshape(-1, 3)
    best = levels[0, 1] / ONE
    compared = 0
    different = 0
    for side, price, qty in levels:
        if kind == "ROIVector" and not best * 0.81 < price / ONE < best * 1.19:
            continue
        at = round(price / ONE / tick)
        kept = depth.bid_qty_at_tick(at) if side > 0 else depth.ask_qty_at_tick(at)
        compared += 1
        different += int(abs(kept - qty / ONE) > 1e-9)
    return compared, different


def main():
    path, book_path, tick, lot, runs = sys.argv[1:]
    tick, lot, runs = float(tick), float(lot), int(runs)
    data, count = events(path)
    for strategy in (no_op, quoting):
        for kind in ("HashMap", "ROIVector"):
            seconds = []
            told = {}
            for run in range(runs + 1):
                hbt = backtest(kind, data, tick, lot)
                begun = time.perf_counter()
                result = strategy(hbt, STEP)
                took = time.perf_counter() - begun
                # The first compiles.
                if run > 0:
                    seconds.append(took)
                if run == runs:
                    state = hbt.state_values(0)
                    depth = hbt.depth(0)
                    mid = (depth.best_bid + depth.best_ask) / 2
                    compared, different = same_book(hbt, book_path, tick, kind)
                    told = {
                        "result": list(result) if isinstance(result, tuple) else [result],
                        "fills": int(state.num_trades),
                        "position": round(state.position, 8),
                        "pnl": round(state.balance + state.position * mid - state.fee, 6),
                        "levelsCompared": compared,
                        "levelsDifferent": different,
                    }
                hbt.close()
            print(
                json.dumps(
                    {
                        "peer": "hftbacktest",
                        "depth": kind,
                        "strategy": strategy.__name__,
                        "events": count,
                        "seconds": seconds,
                        **told,
                    }
                ),
                flush=True,
            )


main()
