//! Text frames of the push connection: subscriptions, acknowledgements, PING.

use serde::Deserialize;

use crate::Channel;

/// Channels one connection may carry; further ones are void at the venue.
pub const MAX_CHANNELS: usize = 30;

/// The text that keeps a quiet connection alive.
pub const PING: &str = r#"{"method":"PING"}"#;

/// Subscription of several channels, answered by one acknowledgement with the same id.
#[must_use]
pub fn subscribe(id: u64, channels: &[Channel]) -> String {
    message("SUBSCRIPTION", id, channels)
}

#[must_use]
pub fn unsubscribe(id: u64, channels: &[Channel]) -> String {
    message("UNSUBSCRIPTION", id, channels)
}

fn message(method: &str, id: u64, channels: &[Channel]) -> String {
    let params: Vec<String> = channels.iter().map(ToString::to_string).collect();
    serde_json::json!({ "id": id, "method": method, "params": params }).to_string()
}

/// What a text frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// The channels that the venue took on; `code` is 0 on failure too, so only these count.
    Ack {
        id: u64,
        channels: Vec<Channel>,
    },
    Pong,
    /// Anything else: a refusal, an error text such as `Invalid listen key`. Cut to 400 characters.
    Other(String),
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    id: u64,
    msg: String,
}

/// Reads one text frame; never fails, since production also sends plain text.
#[must_use]
pub fn parse(text: &str) -> Control {
    let other = || Control::Other(text.chars().take(400).collect());
    let Ok(reply) = serde_json::from_str::<Reply>(text) else { return other() };
    if reply.msg == "PONG" {
        return Control::Pong;
    }
    let channels: Result<Vec<Channel>, _> = reply.msg.split(',').map(|part| part.trim().parse()).collect();
    channels.map_or_else(|_| other(), |channels| Control::Ack { id: reply.id, channels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_reads_as_documented() {
        let channel: Channel = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC".parse().unwrap();
        let value: serde_json::Value = serde_json::from_str(&subscribe(7, &[channel])).unwrap();
        let documented = serde_json::json!({
            "id": 7,
            "method": "SUBSCRIPTION",
            "params": ["spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC"],
        });
        assert_eq!(value, documented);
    }

    #[test]
    fn one_acknowledgement_names_all_accepted_channels() {
        let text = r#"{"id":7,"code":0,"msg":"spot@private.orders.v3.api.pb,spot@private.deals.v3.api.pb"}"#;
        assert_eq!(
            parse(text),
            Control::Ack { id: 7, channels: vec![Channel::PrivateOrders, Channel::PrivateDeals] }
        );
    }

    #[test]
    fn pong_and_refusals_are_told_apart_although_the_code_is_always_0() {
        assert_eq!(parse(r#"{"id":0,"code":0,"msg":"PONG"}"#), Control::Pong);
        for text in [
            r#"{"id":1,"code":0,"msg":"Not Subscribed successfully! [x].  Reason： Blocked!"}"#,
            "Invalid listen key",
            "",
            "[]",
        ] {
            assert_eq!(parse(text), Control::Other(text.to_owned()));
        }
    }
}
