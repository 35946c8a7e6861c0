//! Following Route headers (RFC 3261 §16.4, §16.12.1), strict routers included.

use std::sync::Arc;

use engine::{LocalState, LooseRoute, Run, level};
use sip::{HeaderId, Message, NameAddr, Tag, Uri, Value};
use smallvec::SmallVec;

use super::{Routed, State};

/// How much of the request is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The Request-URI and the Routes.
    Usual,
    /// The Routes only.
    RoutesOnly,
    /// Nothing, if the request belongs to a dialog.
    PreloadedOnly,
}

const FOLLOWED: i64 = 1;
const NOT_FOLLOWED: i64 = -1;
/// The only Route was our own, in a request that begins a dialog.
const PRELOADED: i64 = -3;

/// What one walk over the Routes works on.
struct Walk<'a> {
    message: &'a Message,
    routes: &'a [(Value<'a>, Uri<'a>)],
    is_preloaded: bool,
    state: LocalState<State>,
}

/// Each Route and the URI in it.
type Entries<'a> = SmallVec<[(Value<'a>, Uri<'a>); 2]>;

/// Consumes own Routes and finds the next hop.
pub(super) fn loose_route(run: &mut Run, mode: Mode) -> i64 {
    let message = Arc::clone(&run.msg.message);
    if !message.is_request() {
        return NOT_FOLLOWED;
    }
    let is_preloaded = message.to_tag().is_none_or(<[u8]>::is_empty);
    let mut routes = Entries::new();
    if read_routes(&message, &mut routes).is_none() || routes.is_empty() {
        return NOT_FOLLOWED;
    }
    if mode == Mode::PreloadedOnly && !is_preloaded {
        return NOT_FOLLOWED;
    }
    run.msg.edits.withdraw(Tag::Route);
    let walk = Walk {
        message: &message,
        routes: &routes,
        is_preloaded,
        state: run.state::<State>(),
    };
    let by_uri = mode == Mode::Usual && !is_preloaded && run.engine.is_my_uri(run.msg.uri());
    if by_uri {
        walk.after_strict(run)
    } else {
        walk.after_loose(run)
    }
}

/// Reads the Routes; `None` if one of them is malformed.
fn read_routes<'a>(message: &'a Message, routes: &mut Entries<'a>) -> Option<()> {
    for value in message.values(HeaderId::Route) {
        let address = NameAddr::parse(value.text)?;
        routes.push((value, Uri::parse(address.uri).ok()?));
    }
    Some(())
}

impl<'a> Walk<'a> {
    /// The topmost Route is ours, or names the next hop.
    fn after_loose(self, run: &mut Run) -> i64 {
        let Some(top) = self.uri(0) else {
            return NOT_FOLLOWED;
        };
        if !run.engine.is_my_route(top) {
            self.follow(run, 0);
            return FOLLOWED;
        }
        let params = Arc::from(top.params.as_bytes());
        let mut next = 1;
        self.remove(run, 0);
        if self.state.enable_double && top.param(b"r2").is_some() {
            if let Some(second) = self.uri(1) {
                self.use_socket(run, second);
                self.remove(run, 1);
                next = 2;
            }
        } else if self.state.force_socket {
            self.use_socket(run, top);
        }
        let is_alone = next >= self.routes.len();
        if !is_alone {
            self.follow(run, next);
        }
        let result = if is_alone && self.is_preloaded {
            PRELOADED
        } else {
            FOLLOWED
        };
        consumed(run, params, result);
        result
    }

    /// A strict router put an own Route into the Request-URI: the last Route is the real one.
    fn after_strict(self, run: &mut Run) -> i64 {
        let old = run.msg.uri().to_vec();
        let Ok(own) = Uri::parse(&old) else {
            return NOT_FOLLOWED;
        };
        let params = Arc::from(own.params.as_bytes());
        let mut next = 0;
        let second = self.uri(0).filter(|uri| {
            self.state.enable_double && own.param(b"r2").is_some() && run.engine.is_my_route(uri)
        });
        if let Some(second) = second {
            self.use_socket(run, second);
            self.remove(run, 0);
            next = 1;
        }
        let Some(uri) = self.uri(next) else {
            consumed(run, params, FOLLOWED);
            return FOLLOWED;
        };
        if uri.is_loose() {
            run.msg.target.next_hop = Some(uri.text.to_vec());
            run.slots.entry::<Routed>().next_hop_is_route = true;
            let last = self.routes.len() - 1;
            if let Some(target) = self.uri(last) {
                run.msg.set_uri(target.text.to_vec());
            }
            self.remove(run, last);
        } else {
            run.msg.set_uri(uri.text.to_vec());
            run.msg.target.next_hop = None;
            self.remove(run, next);
        }
        consumed(run, params, FOLLOWED);
        FOLLOWED
    }

    /// The Route at `at` is the next hop; a strict router wants it in the Request-URI.
    fn follow(&self, run: &mut Run, at: usize) {
        let Some(uri) = self.uri(at) else { return };
        if uri.is_loose() {
            run.msg.target.next_hop = Some(uri.text.to_vec());
            run.slots.entry::<Routed>().next_hop_is_route = true;
            return;
        }
        let line = [b"Route: <", run.msg.uri(), b">\r\n"].concat();
        run.msg.edits.append_last(Tag::Route, self.message, &line);
        run.msg.set_uri(uri.text.to_vec());
        run.msg.target.next_hop = None;
        self.remove(run, at);
    }

    fn uri(&self, at: usize) -> Option<&Uri<'a>> {
        self.routes.get(at).map(|(_, uri)| uri)
    }

    fn remove(&self, run: &mut Run, at: usize) {
        if let Some((value, _)) = self.routes.get(at) {
            run.msg.edits.remove_value(Tag::Route, value);
        }
    }

    /// The request leaves by the socket that an own Route names.
    fn use_socket(&self, run: &mut Run, uri: &Uri<'_>) {
        let transport = uri.wanted_transport().unwrap_or(sip::Transport::Udp);
        let port = uri.port_or_default();
        let sockets = &run.engine.sockets;
        let name = match self.state.socket_names {
            true => uri.param(b"sn").flatten(),
            false => None,
        };
        let by_name = name.and_then(|name| sockets.find_name(std::str::from_utf8(name).ok()?));
        let by_address = || {
            let mut all = sockets.iter();
            all.find(|socket| {
                socket.transport == transport && socket.is_named(uri.host, Some(port))
            })
        };
        let found = by_name.or_else(by_address).map(|socket| socket.id);
        match found {
            Some(socket) => run.msg.target.socket = Some(socket),
            None if self.state.warn_of_mismatch => {
                let text = String::from_utf8_lossy(uri.text);
                run.log(
                    level::WARNING,
                    "rr",
                    &format!("no socket of ours is {text}"),
                );
            }
            None => {}
        }
    }
}

/// An own Route is gone from the request: others may want to know what was in it.
fn consumed(run: &mut Run, params: Arc<[u8]>, result: i64) {
    run.slots.entry::<Routed>().params = Some(Arc::clone(&params));
    if result <= 0 {
        return;
    }
    let engine = run.engine.clone();
    for hook in &engine.hooks.loose_route {
        hook(run, LooseRoute { params: &params });
    }
}
