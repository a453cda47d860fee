//! Protobuf ↔ engine types, field by field.

use std::collections::BTreeMap;
use std::sync::Arc;

use flashpod_engine::LedgerView;
use flashpod_engine::io::{
    DeletionPolicy, Desired, Fill, HaltAction, Mode, OnLoss, OrderEvent, OrderEventKind, Position, RunState,
    SessionEvent, SessionMessage, SidecarLossAction, TradeBatch,
};
use flashpod_engine::status::{AccountStatus, Balance, BookStatus, HaltStatus, Status, StopProof};
use flashpod_gateway::convert::{down, status, up};
use flashpod_gateway::proto;
use flashpod_gateway::proto::session_down::Body as Down;
use flashpod_gateway::proto::session_up::Body as Up;
use flashpod_orders::order::NewOrder;
use flashpod_orders::{Deal, Forgotten, Order, Origin, Update};
use flashpod_types::{Amount, Nanos, OrderId, OrderType, Price, Qty, Side};

fn session(body: Up) -> SessionMessage {
    up::session(proto::SessionUp { body: Some(body) }).unwrap()
}

fn intent(kind: proto::OrderType, price: &str) -> proto::Intent {
    proto::Intent {
        r#ref: "r-1".to_owned(),
        symbol: "BTCUSDC".to_owned(),
        side: proto::Side::Sell.into(),
        r#type: kind.into(),
        price: price.to_owned(),
        quantity: "0.00000001".to_owned(),
        reduce_only: true,
        book_version: 4,
        decided_mono_ns: 5,
        cause_mono_ns: 3,
    }
}

#[test]
fn every_order_type_of_an_intent_is_understood() {
    for (wire, kind, price) in [
        (proto::OrderType::Limit, OrderType::Limit, "99.5"),
        (proto::OrderType::LimitMaker, OrderType::LimitMaker, "99.5"),
        (proto::OrderType::Ioc, OrderType::Ioc, "99.5"),
        (proto::OrderType::Fok, OrderType::Fok, "99.5"),
        (proto::OrderType::Market, OrderType::Market, ""),
    ] {
        let SessionMessage::Intent(asked) = session(Up::Intent(intent(wire, price))) else {
            panic!("no intent")
        };
        assert_eq!((asked.kind, asked.side, asked.reduce_only), (kind, Side::Sell, true));
        assert_eq!(asked.price.map(|price| price.to_string()).unwrap_or_default(), price);
        assert_eq!(asked.qty, Qty::from_raw(1));
        assert_eq!((asked.book_version, asked.decided, asked.reference.as_str()), (4, Nanos(5), "r-1"));
        assert_eq!(asked.cause, Some(Nanos(3)));
    }
}

#[test]
fn a_rule_goes_to_the_engine_as_it_was_said_unless_it_is_too_long() {
    let asked = |name: &str, value: &str| proto::SetRule {
        symbol: "BTCUSDC".to_owned(),
        rule: "touch".to_owned(),
        parameters: vec![proto::RuleParameter { name: name.to_owned(), value: value.to_owned() }],
    };
    let SessionMessage::SetRule(rule) = session(Up::SetRule(asked("edge", "x"))) else { panic!("no rule") };
    assert_eq!((rule.symbol.as_str(), rule.rule.as_str()), ("BTCUSDC", "touch"));
    assert_eq!(rule.parameters, [("edge".to_owned(), "x".to_owned())]);
    for (wrong, field) in [
        (asked("edge", &"9".repeat(65)), "set_rule.parameters[0].value"),
        (proto::SetRule { parameters: vec![Default::default(); 33], ..asked("", "") }, "set_rule.parameters"),
        (proto::SetRule { symbol: "btc".to_owned(), ..asked("", "") }, "set_rule.symbol"),
    ] {
        let error = up::session(proto::SessionUp { body: Some(Up::SetRule(wrong)) }).unwrap_err();
        assert_eq!(error.field, field);
    }
}

#[test]
fn the_reason_of_a_failure_is_cut_and_made_one_line() {
    let reason = format!("onBook threw:\n{}", "ä".repeat(400));
    let SessionMessage::Failed { reason } = session(Up::Failure(proto::Failure { reason })) else {
        panic!("no failure")
    };
    assert_eq!(reason, format!("onBook threw: {}", "ä".repeat(186)));
}

#[test]
fn an_empty_field_of_a_cancel_means_all_of_them() {
    let cancel = |reference: &str, symbol: &str| {
        let asked = proto::CancelIntent { r#ref: reference.to_owned(), symbol: symbol.to_owned() };
        let SessionMessage::Cancel { reference, symbol } = session(Up::Cancel(asked)) else {
            panic!("no cancel")
        };
        (reference, symbol.map(|symbol| symbol.to_string()))
    };
    assert_eq!(cancel("", ""), (None, None));
    assert_eq!(cancel("a", ""), (Some("a".to_owned()), None));
    assert_eq!(cancel("", "ETHUSDC"), (None, Some("ETHUSDC".to_owned())));
}

#[test]
fn a_reference_or_a_set_of_quotes_beyond_its_bound_is_refused() {
    let long = proto::Intent { r#ref: "x".repeat(65), ..intent(proto::OrderType::Limit, "1") };
    let error = up::session(proto::SessionUp { body: Some(Up::Intent(long)) }).unwrap_err().to_string();
    assert!(error.starts_with("intent.ref") && error.contains("64"), "{error}");
    let quotes = (0..65).map(|slot| proto::Quote { slot, ..Default::default() }).collect();
    let many = proto::WantedQuotes { symbol: "BTCUSDC".to_owned(), quotes, ..Default::default() };
    let error = up::session(proto::SessionUp { body: Some(Up::WantedQuotes(many)) }).unwrap_err().to_string();
    assert!(error.starts_with("wanted_quotes.quotes") && error.contains("64"), "{error}");
}

fn policy() -> proto::InstancePolicy {
    proto::InstancePolicy {
        instance: "a".to_owned(),
        uid: "u".to_owned(),
        account: "main".to_owned(),
        strategy: "s".to_owned(),
        mode: proto::Mode::Shadow.into(),
        state: proto::instance_policy::State::Stop.into(),
        deletion_policy: proto::DeletionPolicy::Orphan.into(),
        symbols: vec!["BTCUSDC".to_owned(), "ETHUSDC".to_owned()],
        capital: vec![proto::AssetAmount { asset: "USDC".to_owned(), amount: "0.000000001".to_owned() }],
        limits: Some(proto::RiskLimits { max_open_orders: 3, max_data_age_ms: 1500, ..Default::default() }),
        token_sha256: "ab".repeat(32),
        parameters_json: "{}".to_owned(),
        on_sidecar_loss: Some(proto::SidecarLoss {
            action: proto::sidecar_loss::Action::Keep.into(),
            after_ms: 7,
        }),
        ..Default::default()
    }
}

#[test]
fn loss_limits_and_their_resets_are_read_and_what_is_wrong_with_them_is_named() {
    let limits = proto::RiskLimits {
        max_order_quantity: "0.5".to_owned(),
        max_in_flight: 4,
        max_daily_loss: "10.25".to_owned(),
        on_loss: proto::LossAction::ReduceOnly.into(),
        ..Default::default()
    };
    let asked = proto::InstancePolicy {
        owner: "taker".to_owned(),
        owner_uid: "ou".to_owned(),
        risk_reset: "now".to_owned(),
        limits: Some(limits.clone()),
        ..policy()
    };
    let accounts = vec![proto::AccountPolicy {
        account: "main".to_owned(),
        max_concentration_pct: 40,
        max_loss: "50".to_owned(),
        risk_reset: "then".to_owned(),
        ..Default::default()
    }];
    let instances = vec![asked.clone(), proto::InstancePolicy { instance: "b".to_owned(), ..policy() }];
    let message = proto::DesiredState { accounts, instances, ..Default::default() };
    let split = desired(message, &BTreeMap::new());
    let main = &split.accounts["main"];
    let told = &main.instances[0];
    assert_eq!(
        (told.owner.as_str(), told.owner_uid.as_str(), told.risk_reset.as_str()),
        ("taker", "ou", "now")
    );
    assert_eq!(told.limits.max_order_qty, Some("0.5".parse().unwrap()));
    assert_eq!((told.limits.max_in_flight, told.limits.max_drawdown), (Some(4), None));
    assert_eq!(told.limits.max_daily_loss, Some("10.25".parse().unwrap()));
    assert_eq!(told.limits.on_loss, OnLoss::ReduceOnly);
    assert_eq!((main.instances[1].owner.as_str(), main.instances[1].limits.on_loss), ("b", OnLoss::Halt));
    assert_eq!(
        (main.account.max_concentration_pct, main.account.max_loss),
        (Some(40), Some("50".parse().unwrap()))
    );
    assert_eq!((main.account.on_loss, main.account.risk_reset.as_str()), (OnLoss::Halt, "then"));
    for (change, reason) in [
        (
            proto::RiskLimits { max_daily_loss: "-1".to_owned(), ..limits.clone() },
            "limits.max_daily_loss: \"-1\"",
        ),
        (
            proto::RiskLimits { max_order_quantity: "0".to_owned(), ..limits.clone() },
            "limits.max_order_quantity",
        ),
        (proto::RiskLimits { on_loss: 7, ..limits }, "limits.on_loss: \"7\" is not LOSS_ACTION_HALT"),
    ] {
        let wrong = proto::InstancePolicy { limits: Some(change), ..asked.clone() };
        let message = proto::DesiredState { instances: vec![wrong], ..Default::default() };
        let refused = desired(message, &BTreeMap::new()).refused.remove(0);
        assert!(refused.reason.contains(reason), "{}", refused.reason);
    }
}

fn desired(message: proto::DesiredState, former: &BTreeMap<String, Desired>) -> up::DesiredByAccount {
    up::desired(message, &["main".to_owned(), "second".to_owned()], former).unwrap()
}

#[test]
fn the_desired_state_is_split_by_account_and_an_unset_limit_is_none() {
    let halts = vec![proto::HaltPolicy {
        name: "h".to_owned(),
        uid: "hu".to_owned(),
        action: proto::halt_policy::Action::Flatten.into(),
        reason: String::new(),
        instances: vec!["a".to_owned()],
        all: false,
    }];
    let accounts = vec![proto::AccountPolicy {
        account: "second".to_owned(),
        max_exposure: "5".to_owned(),
        ..Default::default()
    }];
    let message = proto::DesiredState { generation: 9, accounts, instances: vec![policy()], halts };
    let split = desired(message, &BTreeMap::new());
    assert!(split.refused.is_empty());
    assert_eq!(split.tokens["a"], [0xab; 32]);
    let (main, second) = (&split.accounts["main"], &split.accounts["second"]);
    assert_eq!((main.generation, second.generation), (9, 9));
    assert_eq!((main.halts.len(), second.halts.len()), (1, 1));
    assert_eq!(main.halts[0].action, HaltAction::Flatten);
    assert_eq!((main.account.max_exposure, second.account.max_exposure), (None, Some("5".parse().unwrap())));
    assert!(second.instances.is_empty());
    let kept = &main.instances[0];
    assert_eq!(
        (kept.mode, kept.state, kept.deletion_policy),
        (Mode::Shadow, RunState::Stop, DeletionPolicy::Orphan)
    );
    assert_eq!(kept.capital, [("USDC".parse().unwrap(), Amount::from_raw(10_000_000))]);
    assert_eq!((kept.limits.max_open_orders, kept.limits.max_order_notional), (Some(3), None));
    assert_eq!(kept.limits.max_data_age, Some(Nanos::from_millis(1500)));
    assert_eq!(
        (kept.sidecar_loss, kept.sidecar_loss_after),
        (SidecarLossAction::Keep, Nanos::from_millis(7))
    );
}

#[test]
fn a_policy_that_can_not_be_read_names_its_field_and_never_repeats_a_token() {
    for (field, wrong) in [
        ("mode", proto::InstancePolicy { mode: 0, ..policy() }),
        ("state", proto::InstancePolicy { state: 9, ..policy() }),
        ("deletion_policy", proto::InstancePolicy { deletion_policy: 0, ..policy() }),
        ("symbols[0]", proto::InstancePolicy { symbols: vec![String::new()], ..policy() }),
        (
            "capital[0].amount",
            proto::InstancePolicy {
                capital: vec![proto::AssetAmount { asset: "USDC".to_owned(), amount: "-1".to_owned() }],
                ..policy()
            },
        ),
        ("on_sidecar_loss.action", proto::InstancePolicy { on_sidecar_loss: None, ..policy() }),
        ("token_sha256", proto::InstancePolicy { token_sha256: "the-token-itself".to_owned(), ..policy() }),
    ] {
        let message = proto::DesiredState { instances: vec![wrong], ..Default::default() };
        let split = desired(message, &BTreeMap::new());
        assert!(split.accounts["main"].instances.is_empty());
        let reason = &split.refused[0].reason;
        assert!(reason.starts_with(field) && !reason.contains("the-token-itself"), "{reason}");
    }
    let message = proto::DesiredState { halts: vec![proto::HaltPolicy::default()], ..Default::default() };
    let error = up::desired(message, &[], &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.starts_with("desired.halts[0].action"), "{error}");
}

fn position() -> Position {
    Position {
        symbol: "BTCUSDC".parse().unwrap(),
        qty: "-0.001".parse().unwrap(),
        average_cost: "3".parse().unwrap(),
        realised: "-1.5".parse().unwrap(),
        unrealised: "2.0000000000000001".parse().unwrap(),
        fees: Amount::ZERO,
        open_orders: 2,
        mark: "4".parse().unwrap(),
    }
}

#[test]
fn a_fill_travels_in_exact_decimals() {
    let event = OrderEvent {
        sequence: 3,
        kind: OrderEventKind::Filled,
        symbol: "BTCUSDC".parse().unwrap(),
        client_id: "fp-1".parse().unwrap(),
        reference: Some("r".to_owned()),
        slot: None,
        side: Side::Buy,
        order_type: OrderType::Market,
        price: Price::ZERO,
        qty: "0.00000001".parse().unwrap(),
        filled: "0.00000001".parse().unwrap(),
        fill: Some(Fill {
            trade_id: "T1".parse().unwrap(),
            price: "84270".parse().unwrap(),
            qty: "0.00000001".parse().unwrap(),
            fee: "0.0000000000000001".parse().unwrap(),
            fee_asset: "USDC".parse().unwrap(),
            maker: false,
            time_ms: 9,
        }),
        code: String::new(),
        text: String::new(),
        time: Nanos(1),
        position: position(),
    };
    let message = down::session_event("a", SessionEvent::Order(Box::new(event)));
    let Some(Down::Order(event)) = message.body else { panic!("no order event") };
    let fill = event.fill.unwrap();
    assert_eq!((fill.price.as_str(), fill.fee.as_str()), ("84270", "0.0000000000000001"));
    assert_eq!((event.price.as_str(), event.slot, event.r#ref.as_str()), ("", None, "r"));
    assert_eq!(event.position.unwrap().unrealised_pnl, "2.0000000000000001");
}

#[test]
fn trades_keep_their_order_and_sides() {
    let batch = TradeBatch {
        symbol: "BTCUSDC".parse().unwrap(),
        trades: vec![
            ("1.5".parse().unwrap(), "2".parse().unwrap(), true),
            ("1.4".parse().unwrap(), "3".parse().unwrap(), false),
        ],
        received: Nanos(7),
        venue_ms: 8,
    };
    let Some(Down::Trades(trades)) = down::trades(&batch, 4).body else { panic!("no trades") };
    assert_eq!(
        (trades.prices, trades.quantities, trades.buys),
        (vec![1.5, 1.4], vec![2.0, 3.0], vec![true, false])
    );
    assert_eq!((trades.dropped, trades.received_mono_ns, trades.venue_unix_ms), (4, 7, 8));
}

/// A halt over `maker` and `taker`, each on an account of its own, and a third account; what is told of it when these
/// accounts say of it that it was blocked and its cancels sent then.
fn halt_of(reached: &[(&str, u64, u64)]) -> proto::HaltStatus {
    let halt = proto::HaltPolicy {
        uid: "h".into(),
        action: proto::halt_policy::Action::Cancel.into(),
        instances: vec!["maker".into(), "taker".into()],
        ..Default::default()
    };
    let instance = |(account, name): (&str, &str)| proto::InstancePolicy {
        instance: name.into(),
        account: account.into(),
        ..policy()
    };
    let instances = [("a", "maker"), ("b", "taker"), ("c", "other")].map(instance).to_vec();
    let message = proto::DesiredState { instances, halts: vec![halt], ..Default::default() };
    let accounts = ["a", "b", "c"].map(str::to_owned);
    let told = up::desired(message, &accounts, &BTreeMap::new()).unwrap().accounts;
    let statuses: Vec<Arc<Status>> = reached
        .iter()
        .map(|&(account, blocked, cancels)| {
            let halt = HaltStatus {
                uid: "h".to_owned(),
                blocked_unix: Nanos(blocked),
                cancels_sent_unix: Nanos(cancels),
                flat: cancels > 0,
                instances: u32::from(account != "c"),
            };
            let halts = if blocked > 0 { vec![halt] } else { Vec::new() };
            let account = AccountStatus { account: account.to_owned(), ..AccountStatus::default() };
            Arc::new(Status { account, halts, ..Status::default() })
        })
        .collect();
    let mut halts = status::halts(&told, &statuses);
    assert_eq!(halts.len(), 1);
    halts.remove(0)
}

#[test]
fn a_halt_is_reached_when_the_last_account_that_it_concerns_reached_it() {
    let seen = |reached| {
        let halt = halt_of(reached);
        (halt.blocked_unix_ns, halt.cancels_sent_unix_ns, halt.flat, halt.instances)
    };
    assert_eq!(seen(&[("a", 5, 6), ("b", 9, 0), ("c", 1, 1)]), (9, 0, false, 2));
    assert_eq!(seen(&[("a", 5, 6), ("b", 9, 8), ("c", 1, 1)]), (9, 8, true, 2));
    // The second account has not heard of it, or says nothing at all.
    assert_eq!(seen(&[("a", 5, 6), ("b", 0, 0)]), (0, 0, false, 1));
    assert_eq!(seen(&[("a", 5, 6)]), (0, 0, false, 1));
    // Nothing of the third is covered: it keeps nobody waiting.
    assert_eq!(seen(&[("a", 5, 6), ("b", 9, 8), ("c", 0, 0)]), (9, 8, true, 2));
    assert_eq!(seen(&[("a", 5, 6), ("b", 9, 8)]), (9, 8, true, 2));
}

#[test]
fn a_book_without_prices_has_empty_texts() {
    let book = BookStatus {
        symbol: "BTCUSDC".parse().unwrap(),
        state: "SYNCING".to_owned(),
        version: 1,
        gaps: 2,
        certified_share: 0.5,
        frames: 3,
        age: Nanos::from_millis(40),
        best_bid: None,
        best_ask: Some("5".parse().unwrap()),
    };
    let book = status::book(&book);
    assert_eq!((book.best_bid.as_str(), book.best_ask.as_str(), book.age_ms), ("", "5", 40));
}

#[test]
fn the_ledger_tells_every_order_with_its_deals() {
    let mut order = Order::new(NewOrder {
        client_id: "fp-1".parse().unwrap(),
        instance: "a".into(),
        symbol: "BTCUSDC".parse().unwrap(),
        side: Side::Buy,
        kind: OrderType::LimitMaker,
        price: "10".parse().unwrap(),
        qty: "2".parse().unwrap(),
        origin: Origin::Quote { slot: 0 },
        reduces: false,
        timestamp_ms: 0,
        created: Nanos(0),
        created_unix: Nanos(0),
        before: Qty::ZERO,
    });
    order.apply(&Update::Accepted { order_id: OrderId::new("C02__1").unwrap() });
    order.apply(&Update::Deal(Deal {
        trade_id: "T1".parse().unwrap(),
        price: "10".parse().unwrap(),
        qty: "0.5".parse().unwrap(),
        value: "5".parse().unwrap(),
        fee: "0.001".parse().unwrap(),
        fee_asset: "USDC".parse().unwrap(),
        maker: true,
        time_ms: 3,
    }));
    let balances = vec![Balance {
        asset: "USDC".parse().unwrap(),
        free: "1".parse().unwrap(),
        locked: "0.1".parse().unwrap(),
    }];
    let forgotten = Forgotten { orders: 3, fills: 4 };
    let view = LedgerView { quiescent: true, orders: vec![order], balances, forgotten };
    let reply = status::ledger("main".to_owned(), &view);
    let order = &reply.orders[0];
    assert_eq!((order.order_id.as_str(), order.status.as_str()), ("C02__1", "PARTIALLY_FILLED"));
    assert_eq!((order.filled_quantity.as_str(), order.fills[0].fee.as_str()), ("0.5", "0.001"));
    assert_eq!((reply.balances[0].free.as_str(), reply.balances[0].locked.as_str()), ("1", "0.1"));
    assert_eq!((reply.forgotten_orders, reply.forgotten_fills), (3, 4));
}

#[test]
fn there_is_no_proof_before_a_stop_was_asked_for() {
    use flashpod_engine::io::TradingState;
    use flashpod_engine::status::InstanceStatus;
    let with = |proof| InstanceStatus {
        instance: "a".to_owned(),
        state: TradingState::Halted,
        reasons: Vec::new(),
        sidecar_connected: false,
        positions: vec![position()],
        accepted_orders: 1,
        fills: 2,
        venue_rejects: 3,
        risk_rejects: 4,
        superseded_quotes: 5,
        figures: Vec::new(),
        proof,
        balances: Vec::new(),
        capital_error: String::new(),
        last_reject: String::new(),
        checkpoint: String::new(),
        losses: Vec::new(),
    };
    assert!(status::instance(&with(StopProof::default()), 0, None).proof.is_none());
    let waiting = StopProof { waiting_for: "2 open orders".to_owned(), ..StopProof::default() };
    assert_eq!(status::instance(&with(waiting), 0, None).proof.unwrap().proven_unix_ns, 0);
    let done = StopProof { proven_unix: Nanos(5), flat: true, ..StopProof::default() };
    let status = status::instance(&with(done), 6, None);
    assert_eq!((status.conflated_books, status.proof.unwrap().proven_unix_ns), (6, 5));
}
