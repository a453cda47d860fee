//! The hops that only the driver can time, for the engine has no clock: how long it handled an input. Their meaning
//! is written down at [`Hop`].

use flashpod_engine::Input;
use flashpod_engine::io::{
    Action, FeedEvent, Hop, OrderEventKind, RequestClass, SessionEvent, SessionMessage,
};

/// The hop that handling this input may be.
pub(crate) const fn timed(input: &Input) -> Option<Hop> {
    match input {
        Input::Feed { event: FeedEvent::Binary(_), .. } => Some(Hop::Book),
        Input::Session { message: SessionMessage::WantedQuotes(_) | SessionMessage::Intent(_), .. } => {
            Some(Hop::Risk)
        }
        _ => None,
    }
}

/// Whether it was that hop, by what came of it.
pub(crate) fn led_to(hop: Hop, actions: &[Action]) -> bool {
    actions.iter().any(|action| match (hop, action) {
        (Hop::Book, Action::Book(_)) => true,
        (Hop::Risk, Action::Http(request)) => request.class == RequestClass::Order,
        (Hop::Risk, Action::Session { event: SessionEvent::Order(event), .. }) => {
            event.kind == OrderEventKind::Rejected
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use flashpod_engine::io::{BookTop, ConnId, HttpRequest, Levels, Method, Params, RequestId};
    use flashpod_types::Nanos;

    use super::*;

    fn frame(event: FeedEvent) -> Input {
        Input::Feed { conn: ConnId(1), received: Nanos::ZERO, event }
    }

    fn said(message: SessionMessage) -> Input {
        Input::Session { instance: "i".to_owned(), received: Nanos::ZERO, message }
    }

    fn request(class: RequestClass) -> Action {
        Action::Http(HttpRequest {
            id: RequestId(1),
            class,
            method: Method::Post,
            path: "".into(),
            params: Params::new(),
            signed: true,
            timeout: Nanos::ZERO,
            not_after: None,
        })
    }

    #[test]
    fn frames_that_published_a_book_and_messages_that_led_to_an_order_are_timed() {
        let top = BookTop {
            symbol: "BTCUSDC".parse().unwrap(),
            version: 1,
            bids: Levels::EMPTY,
            asks: Levels::EMPTY,
            certified: true,
            received: Nanos::ZERO,
            venue_ms: 0,
        };
        assert_eq!(timed(&frame(FeedEvent::Binary(Default::default()))), Some(Hop::Book));
        assert!(led_to(Hop::Book, &[Action::StatusChanged, Action::Book(top.clone())]));
        assert!(!led_to(Hop::Book, &[request(RequestClass::Order)]), "a push about an order");
        assert_eq!(timed(&frame(FeedEvent::Up)), None);

        assert_eq!(timed(&said(SessionMessage::Heartbeat)), None);
        assert!(led_to(Hop::Risk, &[request(RequestClass::Cancel), request(RequestClass::Order)]));
        assert!(!led_to(Hop::Risk, &[request(RequestClass::Cancel), request(RequestClass::Query)]));
        assert!(!led_to(Hop::Risk, &[Action::Book(top)]));
        assert!(!led_to(Hop::Risk, &[]), "quotes that rest already");
    }
}
