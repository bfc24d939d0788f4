//! Bad credentials from one address are soon all answered alike, whatever is tried; who has a good one is not touched;
//! and neither a credential nor where somebody calls from is in the log.

// In a process of its own, since it listens to the whole log of one.
#[path = "behaviour/support/mod.rs"]
mod support;

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use stoa_api::v1::*;
use support::{Identity, KEY, Rig, Service, Wire, assert_reason, create_request, raw};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// How many are looked at in a minute.
const LIMIT: u32 = 5;

/// Something that no log may have.
const GUESS: &str = "a-guess-that-nobody-may-read";

/// Everything that Stoa says, spans and fields included.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, name: &str, record: impl FnOnce(&mut Lines<'_>)) {
        let mut text = self.0.lock().expect("nobody panics");
        let _ = write!(text, "{name}:");
        record(&mut Lines(&mut text));
        text.push('\n');
    }
}

struct Lines<'a>(&'a mut String);

impl Visit for Lines<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("stoa")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.add(span.metadata().name(), |lines| span.record(lines));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.add("record", |lines| values.record(lines));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.add("event", |lines| event.record(lines));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The log of this process: its tests share it.
fn log() -> &'static Log {
    static LOG: std::sync::OnceLock<Log> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing::subscriber::set_global_default(log.clone()).expect("the first one");
        log
    })
}

/// What a refusal says, but for how long to wait.
fn shape(status: &Status) -> (Code, String, String) {
    let info = status.get_details_error_info().expect("there is one");
    let details = format!("{} {} {:?}", info.reason, info.domain, info.metadata);
    (status.code(), status.message().to_owned(), details)
}

/// Tries a method with this `authorization`.
async fn try_it(service: &Service, path: &str, value: &str) -> Status {
    let mut client = tonic::client::Grpc::new(service.clone());
    client.ready().await.expect("it is always ready");
    let mut request = Request::new(Vec::new());
    let value = value.parse().expect("a value");
    request.metadata_mut().insert("authorization", value);
    let path = path.parse().expect("a path");
    let answer = client.unary(request, path, raw::Raw).await;
    answer.expect_err("it is no credential")
}

support::on_both_transports!(a_flood_from_one_address);
async fn a_flood_from_one_address(wire: Wire) {
    let log = log();
    let rig = Rig::with(|config| config.service.refusals_per_source = LIMIT).await;
    let nobody = rig.service(wire, Identity::Nobody);
    let path = "/stoa.control.v1.Rooms/ListRooms";
    // How many get through depends on the time that they take, which frees one every 12 s.
    let mut looked_at = 0;
    let beyond = loop {
        let refused = try_it(&nobody, path, &format!("Bearer {GUESS}{looked_at}")).await;
        if stoa_client::reason(&refused) != Some(ErrorReason::CredentialInvalid) {
            break refused;
        }
        looked_at += 1;
        assert!(looked_at < 10 * LIMIT, "they are never too many");
    };
    assert!((LIMIT..LIMIT + 5).contains(&looked_at), "{looked_at}");
    let delay = beyond
        .get_details_retry_info()
        .and_then(|info| info.retry_delay);
    let delay = delay.expect("it says when");
    assert!(
        !delay.is_zero() && delay <= Duration::from_secs(60),
        "{delay:?}"
    );
    let info = beyond.get_details_error_info().expect("there is one");
    assert_eq!(info.metadata["scope"], "source");
    let expected = shape(&beyond);

    let stray = rig.pki.stray_client();
    let stray = rig.service(wire, Identity::Certificate(stray.0, stray.1));
    let mut others = Vec::new();
    for (path, value) in [
        (path, format!("Bearer {GUESS}")),
        (path, format!("Basic {GUESS}")),
        (path, format!("Bearer {}", &KEY[1..])),
        ("/stoa.control.v1.Rooms/Watch", format!("Bearer {GUESS}")),
        (
            "/stoa.control.v1.Nothing/Nowhere",
            format!("Bearer {GUESS}"),
        ),
        ("/grpc.health.v1.Health/Check", format!("Bearer {GUESS}")),
    ] {
        others.push(try_it(&nobody, path, &value).await);
    }
    let by_certificate = raw::call(&stray, path, Vec::new()).await;
    others.push(by_certificate.expect_err("it is nobody's"));
    // Of these some may be looked at, as time goes by: those are refused as ever.
    let alike = others.iter().filter(|status| shape(status) == expected);
    assert!(alike.count() + 2 >= others.len(), "{others:?}");

    // The same address has somebody with a good key, and somebody without any.
    let mut good = rig.rooms(wire);
    for number in 0..20 {
        let made = good.create_room(create_request(&format!("r{number}"), ""));
        made.await.expect("they are not meant");
    }
    let mut none = rig.rooms_of(wire, Identity::Nobody);
    let none = none.list_rooms(ListRoomsRequest::default()).await;
    let (reason, code) = (ErrorReason::CredentialMissing, Code::Unauthenticated);
    assert_reason(none, reason, code);
    assert_eq!(rig.media.history().len(), 20);

    let text = log.0.lock().expect("nobody panics").clone();
    assert!(
        text.contains("method=\"stoa.control.v1.Rooms/ListRooms\""),
        "{text}"
    );
    assert!(text.contains("client=127.0.0.0/24"), "{text}");
    for secret in [GUESS, KEY, &KEY[1..], "client=127.0.0.1"] {
        assert!(!text.contains(secret), "{secret:?} is in the log:\n{text}");
    }
}
