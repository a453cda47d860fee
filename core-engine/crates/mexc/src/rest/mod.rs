//! Replies of the REST interface as exact values. Each function takes the body of a reply that
//! [`crate::reply::classify`] called a success. Fields that production sends as null, number or text are read in
//! every form; unknown fields are ignored; a missing or unreadable field that matters is an error that names it.

mod account;
mod market;
mod object;
pub(crate) mod text;
mod trade;

pub use account::{
    AccountReport, Balance, FeeRates, account, listen_key, listen_keys, tradable_symbols, trade_fee, uid,
};
pub use market::{
    DepthSnapshot, ExchangeInfo, Level, ListedSymbol, Skipped, TopOfBook, book_ticker, depth, exchange_info,
    time,
};
pub use object::RestError;
pub use trade::{
    BatchItem, CancelReport, OrderAck, OrderReport, TradeReport, batch_reply, cancel_all_reply, cancel_reply,
    my_trades, order, order_ack, orders,
};
