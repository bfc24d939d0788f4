use super::*;

const MINIMAL: &str = "\
media:
  port: 40000
  advertise: [203.0.113.5, '[2001:db8::1]:5000']
control:
  listen: ['127.0.0.1:7443']
  certificate_file: cert.pem
  private_key_file: key.pem
";

fn error(text: &str) -> String {
    Config::parse(text)
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn a_minimal_file_has_the_documented_defaults() {
    let config = Config::parse(MINIMAL).unwrap();
    assert_eq!(config.media.bind, all_addresses());
    assert_eq!(config.media.ice_timeout_seconds.get(), 15);
    assert_eq!(config.media.resume_seconds, 30);
    assert_eq!(config.media.egress, Egress::Direct);
    assert_eq!(config.limits.participants_per_room.get(), 20_000);
    assert_eq!(config.rooms.empty_timeout_seconds, None);
    assert_eq!(config.rooms.idle_timeout_seconds, None);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.log.level.0, "info");
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let error = error(&MINIMAL.replace("  port: 40000", "  port: 40000\n  prot: 1"));
    assert!(error.contains("unknown field `prot`"), "{error}");
    assert!(error.contains("line 3 column 3"), "{error}");
}

#[test]
fn a_wrong_value_is_named_with_its_place() {
    for (right, wrong, expected) in [
        ("port: 40000", "port: 70000", "u16"),
        (
            "port: 40000",
            "port: 1\n  egress: both",
            "unknown variant `both`",
        ),
        ("203.0.113.5", "203.0.113", "not an IP address"),
        ("'127.0.0.1:7443'", "'127.0.0.1'", "socket address"),
    ] {
        let error = error(&MINIMAL.replace(right, wrong));
        assert!(
            error.contains(expected) && error.contains("line"),
            "{wrong}: {error}"
        );
    }
    let with_log = format!("{MINIMAL}log:\n  level: 'a=b=c'\n");
    assert!(error(&with_log).contains("log level"));
    let with_key = format!("{MINIMAL}  api_keys: [{{name: a, sha256: xyz}}]\n");
    assert!(error(&with_key).contains("64 hexadecimal digits"));
}

#[test]
fn zero_is_no_limit() {
    let error = error(&format!("{MINIMAL}limits:\n  participants_per_room: 0\n"));
    assert!(error.contains("nonzero"), "{error}");
}

#[test]
fn rooms_stay_for_a_week_at_most_or_for_ever() {
    let with = |seconds: u64| format!("{MINIMAL}rooms:\n  empty_timeout_seconds: {seconds}\n");
    let timeout = |seconds| {
        let config = Config::parse(&with(seconds)).unwrap();
        let timeout = config.rooms.empty_timeout_seconds;
        timeout.map(|timeout| timeout.duration().as_secs())
    };
    assert_eq!(
        (timeout(0), timeout(1), timeout(604_800)),
        (None, Some(1), Some(604_800))
    );
    assert!(error(&with(604_801)).contains("must be 0, or 1 to 604800 seconds"));
}

#[test]
fn a_node_that_nobody_could_call_is_refused() {
    let config = Config::parse(MINIMAL).unwrap();
    let Err(Failure::Config(reason)) = config.control() else {
        panic!("must be refused")
    };
    assert!(reason.contains("nobody could call"), "{reason}");
}

#[test]
fn the_example_for_deployment_is_a_configuration() {
    let config = Config::parse(include_str!("../../../../deploy/stoad.yaml")).unwrap();
    assert!(config.media().is_ok());
}
