//! A tracker with a clock, and calls that are made by one line.

use std::cell::Cell;

use tandem_dialog::{
    Created, DialogId, DialogView, Direction, Effects, Event, Invite, Method, Now, Reply, Request,
    RequestKey, Settings, Side, State, Tracker,
};

/// Unix time at which every test begins.
pub const START: u64 = 1_700_000_000;

pub struct Lab {
    pub tracker: Tracker,
    ms: u64,
    calls: Cell<u32>,
}

pub const INVITE: Invite<'static> = Invite {
    call_id: b"call-1@test",
    from_tag: b"ftA",
    from_uri: b"sip:alice@example.org",
    to_uri: b"sip:bob@example.org",
    req_uri: b"sip:bob@example.org",
    cseq: 10,
    contact: b"sip:alice@127.0.0.1:25070;ob",
    record_routes: &[],
    socket: b"udp:127.0.0.1:25060",
    lifetime: None,
    sflags: 0,
    iflags: 0,
    timeout_route: b"",
    message: None,
};

pub fn reply(status: u16, to_tag: &'static [u8]) -> Reply<'static> {
    Reply {
        cseq: 1,
        status,
        to_tag,
        contact: b"sip:bob@127.0.0.1:25080",
        source: b"sip:127.0.0.1:25080",
        record_routes: &[b"<sip:127.0.0.1:25060;lr>"],
        own_record_routes: 1,
        socket: b"udp:127.0.0.1:25060",
        message: None,
    }
}

pub fn request(method: Method, direction: Direction, cseq: u32) -> Request<'static> {
    Request {
        direction,
        method,
        callee_tag: b"tt1",
        cseq,
        contact: b"",
        socket: b"",
        lifetime: None,
        message: None,
    }
}

pub use Direction::{Downstream as DOWN, Upstream as UP};

impl Lab {
    pub fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            seed: 7,
            ..Settings::default()
        };
        settings.declare_profiles("caller", true);
        settings.declare_profiles("inbound", false);
        change(&mut settings);
        let ms = START * 1000;
        let now = Now::from_unix_millis(ms);
        Self {
            tracker: Tracker::new(settings, now).expect("valid settings"),
            ms,
            calls: Cell::new(0),
        }
    }

    pub fn now(&self) -> Now {
        Now::from_unix_millis(self.ms)
    }

    /// Seconds since the start.
    pub fn pass_secs(&mut self, seconds: u64) {
        self.pass_ms(seconds * 1000);
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.ms += ms;
    }

    pub fn create(&self, invite: &Invite<'_>) -> Created {
        self.tracker.create(invite, self.now()).expect("created")
    }

    /// A further call; the first is [`INVITE`]'s.
    pub fn call(&self) -> DialogId {
        self.calls.set(self.calls.get() + 1);
        let call_id = format!("call-{}@test", self.calls.get());
        self.create(&Invite {
            call_id: call_id.as_bytes(),
            ..INVITE
        })
        .id()
    }

    pub fn reply(&self, id: DialogId, status: u16, to_tag: &'static [u8]) -> Effects {
        self.tracker
            .reply(id, &reply(status, to_tag), self.now())
            .expect("known call")
    }

    pub fn request(&self, id: DialogId, request: &Request<'_>) -> Effects {
        self.tracker
            .request(id, request, self.now())
            .expect("known call")
    }

    pub fn send(&self, id: DialogId, method: Method, direction: Direction, cseq: u32) -> Effects {
        self.request(id, &request(method, direction, cseq))
    }

    /// A call that was answered and acknowledged at once.
    pub fn confirmed(&self) -> DialogId {
        let id = self.call();
        self.reply(id, 180, b"tt1");
        self.reply(id, 200, b"tt1");
        self.send(id, Method::Ack, DOWN, 10);
        assert_eq!(self.state(id), State::Confirmed);
        id
    }

    /// A call in each state.
    pub fn call_in(&self, state: State) -> DialogId {
        let id = self.call();
        match state {
            State::Unconfirmed => {}
            State::Early => drop(self.reply(id, 180, b"tt1")),
            State::ConfirmedNoAck => drop(self.reply(id, 200, b"tt1")),
            State::Confirmed => {
                self.reply(id, 200, b"tt1");
                self.send(id, Method::Ack, DOWN, 10);
            }
            State::Deleted => drop(self.reply(id, 486, b"tt1")),
        }
        assert_eq!(self.state(id), state);
        id
    }

    pub fn state(&self, id: DialogId) -> State {
        self.tracker.state(id).expect("known call")
    }

    pub fn view(&self, id: DialogId) -> DialogView {
        self.tracker.snapshot(id, self.now()).expect("known call")
    }

    /// Runs everything that is due now; what it did, by call.
    pub fn tick(&self) -> Vec<(DialogId, Effects)> {
        let mut done = Vec::new();
        for shard in 0..Tracker::SHARDS {
            for due in self.tracker.due(shard, self.now()) {
                done.extend(
                    self.tracker
                        .timeout(due.id, self.now())
                        .map(|e| (due.id, e)),
                );
            }
        }
        done
    }

    pub fn contact(&self, id: DialogId, side: Side) -> String {
        text(&self.tracker.contact(id, side).unwrap_or_default())
    }
}

pub fn key<'a>(from_tag: &'a [u8], to_tag: &'a [u8], cookie: Option<&'a [u8]>) -> RequestKey<'a> {
    RequestKey {
        call_id: INVITE.call_id,
        from_tag,
        to_tag,
        cookie,
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn events(effects: &Effects) -> &[Event] {
    &effects.events
}
