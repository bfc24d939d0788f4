//! SDP, YAML, JSON and the rest.

use serde_json::json;
use stoa_sim::offers;

use super::Seed;

fn text(text: impl Into<String>) -> Vec<u8> {
    text.into().into_bytes()
}

pub(super) fn offers() -> Vec<Seed> {
    let (chromium, firefox) = (offers::chromium(), offers::firefox());
    let one = offers::with_lines(&chromium, 1);
    vec![
        ("chromium", text(chromium.clone())),
        ("firefox", text(firefox)),
        ("one-line", text(one.clone())),
        ("no-opus", text(one.replace("opus", "sopu"))),
        (
            "no-fingerprint",
            text(offers::without(&one, "a=fingerprint")),
        ),
        ("no-mid", text(offers::without(&one, "a=mid"))),
        ("video", text(one.replace("m=audio", "m=video"))),
        ("a-mid-twice", text(chromium.replace("a=mid:1", "a=mid:0"))),
        ("refused-lines", text(one.replace("m=audio 9", "m=audio 0"))),
        ("nothing", text("v=0\r\n")),
        ("not-sdp", text("GET / HTTP/1.1\r\n\r\n")),
    ]
}

pub(super) fn candidates() -> Vec<Seed> {
    let host = "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0";
    let relay = "candidate:2 1 tcp 1 2001:db8::1 9 typ relay raddr 0.0.0.0 rport 0 tcptype active";
    vec![
        ("host", text(host)),
        ("with-a", text(format!("a={host}"))),
        ("relay", text(relay)),
        ("name", text(host.replace("192.168.0.196", "4f8a.local"))),
        ("last", Vec::new()),
        (
            "another-component",
            text(host.replace(" 1 udp", " 256 udp")),
        ),
        ("port-too-large", text(host.replace("46243", "99999"))),
    ]
}

pub(super) fn whip() -> Vec<Seed> {
    let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
                    m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
                    a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";
    let head = "Authorization: Bearer a.b.c\nIf-Match: \"tag\"\nContent-Type: application/sdp";
    let request = |path: &str, head: &str, body: &str| text(format!("{path}\0{head}\0{body}"));
    let any = "Authorization: bearer x\nIf-Match: *";
    let one = offers::with_lines(&offers::chromium(), 1);
    vec![
        ("trickle", request("/session/abc", head, fragment)),
        ("restart", request("/session/abc", any, fragment)),
        ("enter", request("/whip/hall", head, &one)),
        ("listen", request("/whep", "Authorization: Basic eA==", "")),
        (
            "last-candidate",
            request("/session/a", head, "a=end-of-candidates"),
        ),
        (
            "half-a-credential",
            request("/session/a", head, "a=ice-ufrag:EsAw\r\n"),
        ),
        (
            "two-tokens",
            request("//", &format!("{head}\n{any}"), "v=0\r\n"),
        ),
    ]
}

pub(super) fn configurations() -> Vec<Seed> {
    let minimal = "media:\n  port: 40000\n  advertise: [203.0.113.5, '[2001:db8::1]:5000']\n\
        control:\n  listen: ['127.0.0.1:7443']\n  certificate_file: cert.pem\n  private_key_file: key.pem\n\
        tenants:\n  - name: one\n    api_keys:\n      - name: a\n        sha256: HASH\n";
    let hash = "0123456789abcdef".repeat(4);
    let minimal = minimal.replace("HASH", &hash);
    let more = "limits:\n  rooms_per_worker: 7\nlog:\n  level: debug\n  format: json\n\
        rooms:\n  empty_timeout_seconds: 60\ndrain:\n  seconds: 5\n\
        whip:\n  listen: ['127.0.0.1:8443']\n  certificate_file: c\n  private_key_file: k\n  \
        ice_servers:\n  - urls: ['turn:a']\n    username: u\n    credential: s3cret\n";
    let example = include_str!("../../../deploy/stoad.yaml");
    vec![
        ("minimal", text(minimal.clone())),
        ("more", text(format!("{minimal}{more}"))),
        ("example", text(example)),
        (
            "environment",
            text(format!(
                "{minimal}\0STOA__MEDIA__PORT=41000\nSTOA__LOG__LEVEL=warn"
            )),
        ),
        ("unknown-key", text(format!("{minimal}x: 1\n"))),
        (
            "aliases",
            text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ),
        ("deep", text("[".repeat(200))),
        ("not-yaml", text("\t:")),
    ]
}

pub(super) fn talk() -> Vec<Seed> {
    let secret = "0123456789012345678901";
    let join = json!({
        "type": "join", "room": "hall", "name": "Ada", "secret": secret, "window": secret,
        "create": {"title": "The hall", "open": true, "newcomers": "listener"},
        "sdp": "v=0\r\n",
    });
    let link = json!({"type": "create_link", "role": "speaker", "label": "a", "one_person": true});
    let look = json!({"room": "hall", "secret": secret, "window": secret});
    let wish = json!({"secret": secret, "action": {"type": "wait", "name": "Ada"}});
    let say = |kind: &str| json!({"type": kind}).to_string();
    vec![
        ("join", text(join.to_string())),
        ("create-link", text(link.to_string())),
        ("look", text(look.to_string())),
        ("wish", text(wish.to_string())),
        (
            "mute",
            text(json!({"type": "mute", "muted": true}).to_string()),
        ),
        (
            "set-role",
            text(json!({"type": "set_role", "id": "a", "role": "moderator"}).to_string()),
        ),
        (
            "candidate",
            text(json!({"type": "candidate", "candidate": ""}).to_string()),
        ),
        ("leave", text(say("leave"))),
        ("unknown", text(say("dance"))),
        (
            "unknown-field",
            text(json!({"type": "leave", "\u{1}".repeat(20): 1}).to_string()),
        ),
        ("deep", text("[".repeat(300))),
        ("not-json", text("hello")),
    ]
}

pub(super) fn expositions() -> Vec<Seed> {
    let good = "# HELP process_cpu_seconds_total x\nprocess_cpu_seconds_total 12.5\n\
                process_resident_memory_bytes 1.048576e+06\n\
                stoa_worker_busy_seconds_total{worker=\"0\"} 1.25\n\
                stoa_worker_busy_seconds_total{worker=\"1\"} 2 1395066363000\n\
                other{a=\"x } \\\" y\",b=\"2\"} +Inf\n";
    vec![
        ("good", text(good)),
        (
            "not-numbers",
            text("process_cpu_seconds_total NaN\nprocess_resident_memory_bytes -1\n"),
        ),
        (
            "no-worker",
            text("stoa_worker_busy_seconds_total{lobby=\"0\"} 1\n"),
        ),
        ("labels-without-an-end", text("a{b=\"c\n")),
        ("html", text("<html>")),
    ]
}

pub(super) fn questions() -> Vec<Seed> {
    let clock = json!({"Clock": {"ahead": -5}});
    let answer = json!({"Answer": {"thread": 0, "key": 1, "answer": "v=0\r\n"}});
    let since = json!({"secs_since_epoch": 2_000_000_000, "nanos_since_epoch": 1});
    let forbid = json!({"Forbid": {"thread": 0, "speaker": 3, "since": since}});
    let plan = json!({"lines": 3, "voice": null});
    let newcomer = json!({"plan": plan, "invitation": null, "group": 0, "network": null});
    vec![
        ("clock", text(clock.to_string())),
        ("answer", text(answer.to_string())),
        ("forbid", text(forbid.to_string())),
        ("sample", text(json!({"Sample": {"thread": 0}}).to_string())),
        (
            "open",
            text(json!({"Open": {"thread": 0, "newcomer": newcomer}}).to_string()),
        ),
    ]
}
