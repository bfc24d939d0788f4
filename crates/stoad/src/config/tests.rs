use super::*;

const MINIMAL: &str = "\
media:
  port: 40000
  advertise: [203.0.113.5, '[2001:db8::1]:5000']
control:
  listen: ['127.0.0.1:7443']
  certificate_file: cert.pem
  private_key_file: key.pem
tenants:
  - name: one
    api_keys: []
";

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn error(text: &str) -> String {
    Config::parse(text).expect_err("must be refused")
}

#[test]
fn a_minimal_file_has_the_documented_defaults() {
    let config = Config::parse(MINIMAL).unwrap();
    assert_eq!(config.media.bind, media::all_addresses());
    assert_eq!(config.media.ice_timeout_seconds.get(), 15);
    assert_eq!(config.media.resume_seconds, 30);
    assert_eq!(config.media.egress, media::Egress::Direct);
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
    assert!(error.contains("did you mean `port`?"), "{error}");
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
    let with_key = MINIMAL.replace("[]", "[{name: a, sha256: xyz}]");
    assert!(error(&with_key).contains("64 hexadecimal digits"));
    let with_name = MINIMAL.replace("name: one", "name: 'one two'");
    assert!(error(&with_name).contains("tenant \"one two\""));
    for quota in ["joins_per_second", "packets_per_second"] {
        let with_quota = format!("{MINIMAL}    quotas: {{{quota}: 0}}\n");
        assert!(error(&with_quota).contains("nonzero"));
    }
}

/// Found by `fuzz/`: such a file was good alone, and refused with anything in the environment.
#[test]
fn a_section_without_anything_in_it_is_good_with_an_environment_too() {
    for section in [
        "limits", "log", "state", "ops", "rooms", "drain", "capacity", "whip", "traces",
    ] {
        let text = format!("{MINIMAL}{section}:\n");
        assert!(Config::parse(&text).is_ok(), "{section}");
        let whole = super::environment::apply(&text, &[]).expect("YAML");
        assert!(Config::parse(&whole).is_ok(), "{whole}");
    }
    let whole = super::environment::apply(&format!("{MINIMAL}limit:\n"), &[]);
    assert!(
        Config::parse(&whole.expect("YAML")).is_err(),
        "no such section"
    );
}

#[test]
fn what_is_printed_is_a_configuration_again() {
    let config = Config::parse(MINIMAL).expect("it is right");
    let printed = serde_yaml::to_string(&config).expect("it can be written");
    let again = Config::parse(&printed).expect(&printed);
    assert_eq!(serde_yaml::to_string(&again).expect("as before"), printed);
    for default in ["resume_seconds: 30", "hard_ratio: 0.9", "grace_seconds: 0"] {
        assert!(printed.contains(default), "{default}:\n{printed}");
    }
}

#[test]
fn what_differs_is_named_and_sorted() {
    let parse = |text: &str| Config::parse(text).expect(text);
    let before = parse(MINIMAL);
    let same = Difference::between(&before, &before, &before);
    assert_eq!(same, Difference::default());
    let after = MINIMAL
        .replace("port: 40000", "port: 40001")
        .replace("api_keys: []", "quotas: {rooms: 5, packets_per_second: 7}");
    let new = "  - name: two\n    quotas: {packets_per_second: 7}\nlog: {level: debug}\n";
    let after = parse(&(after + new));
    let difference = Difference::between(&before, &before, &after);
    assert_eq!(
        difference.applied,
        [
            "log.level",
            "tenants[one].quotas.packets_per_second",
            "tenants[one].quotas.rooms",
            "tenants[two]"
        ]
    );
    assert_eq!(difference.waiting, ["media.port"]);
    // Until the restart they are named each time, and what was applied is not.
    let again = Difference::between(&before, &after, &after);
    assert_eq!(
        (again.applied.len(), again.waiting),
        (0, difference.waiting)
    );
}

#[test]
fn a_secret_that_differs_is_seen_and_not_shown() {
    let whip = |credential: &str| {
        let server = format!("{{urls: ['turn:a'], username: u, credential: {credential}}}");
        let whip =
            "whip:\n  listen: ['127.0.0.1:0']\n  certificate_file: a\n  private_key_file: b\n";
        Config::parse(&format!("{MINIMAL}{whip}  ice_servers: [{server}]\n")).expect("right")
    };
    let (before, after) = (whip("s3cret-a"), whip("s3cret-b"));
    let difference = Difference::between(&before, &before, &after);
    assert_eq!(difference.applied, ["whip.ice_servers"]);
    let shown = format!("{difference:?}{after:?}") + &serde_yaml::to_string(&after).expect("YAML");
    assert!(
        !shown.contains("s3cret") && shown.contains("(hidden)"),
        "{shown}"
    );
    let without = Difference::between(&before, &before, &Config::parse(MINIMAL).expect("right"));
    assert_eq!(without.waiting, ["whip"]);
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

/// Why a configuration of these tenants is refused.
fn tenants_error(tenants: &str) -> String {
    let (head, _) = MINIMAL.split_once("tenants:").unwrap();
    let config = Config::parse(&format!("{head}tenants:\n{tenants}")).unwrap();
    match config.control() {
        Err(Failure::Config(reason)) => reason,
        other => panic!("must be refused: {:?}", other.map(drop)),
    }
}

#[test]
fn a_node_that_nobody_could_call_is_refused() {
    let reason = tenants_error("  - name: one\n");
    assert!(reason.contains("nobody could call"), "{reason}");
}

#[test]
fn tenants_are_told_apart() {
    let key = |name| format!("{{name: {name}, sha256: {HASH}}}");
    let (a, b) = (key("a"), key("b"));
    let twice = format!("  - name: one\n    api_keys: [{a}]\n  - name: one\n");
    assert_eq!(tenants_error(&twice), "tenants: one is there twice");
    let shared = format!(
        "  - name: one\n    api_keys: [{a}]\n  - name: two\n    client_certificates: [{b}]\n"
    );
    assert_eq!(
        tenants_error(&shared),
        "tenants: one/a and two/b have the same sha256"
    );
}

#[test]
fn the_workers_are_told_what_tenants_may_forward() {
    let media = Config::parse(MINIMAL).unwrap().media().unwrap();
    assert_eq!(media.quotas, [], "no limit");
    let tenants = format!(
        "{MINIMAL}    quotas: {{packets_per_second: 60000}}\n  - name: two\n  - name: three\n    quotas: {{packets_per_second: 1}}\n"
    );
    let media = Config::parse(&tenants).unwrap().media().unwrap();
    let quotas = media.quotas.iter();
    let told: Vec<_> = quotas
        .map(|quota| (quota.tenant.as_str(), quota.packets_per_second))
        .collect();
    assert_eq!(told, [("one", 60_000), ("three", 1)]);
}

#[test]
fn a_tenant_that_is_taken_out_keeps_what_it_may_forward() {
    let with = |quotas: &[(&str, Option<u64>)]| {
        let tenant = |(name, quota): &(&str, Option<u64>)| match quota {
            Some(quota) => {
                format!("  - name: {name}\n    quotas: {{packets_per_second: {quota}}}\n")
            }
            None => format!("  - name: {name}\n"),
        };
        let tenants: String = quotas.iter().map(tenant).collect();
        Config::parse(&(MINIMAL.to_owned() + &tenants)).unwrap()
    };
    let mut told = Vec::new();
    let mut reload = |quotas: &[(&str, Option<u64>)]| {
        told = with(quotas).packet_quotas_after(&told);
        let told = told.iter();
        told.map(|quota| (quota.tenant.to_string(), quota.packets_per_second))
            .collect::<Vec<_>>()
    };
    let quota = |name: &str, packets| (name.to_owned(), packets);
    let (a, b) = (("a", Some(1)), ("b", Some(2)));
    assert_eq!(reload(&[a, b]), [quota("a", 1), quota("b", 2)]);
    assert_eq!(reload(&[b]), [quota("b", 2), quota("a", 1)]);
    assert_eq!(reload(&[]), [quota("b", 2), quota("a", 1)]);
    assert_eq!(reload(&[("a", Some(3))]), [quota("a", 3), quota("b", 2)]);
    assert_eq!(reload(&[("a", None), ("b", None)]), [], "they have none");
    assert_eq!(reload(&[]), []);
}

#[test]
fn certificates_need_who_vouches_for_them() {
    let certificate = format!("{{name: a, sha256: {HASH}}}");
    let reason = tenants_error(&format!(
        "  - name: one\n    client_certificates: [{certificate}]\n"
    ));
    assert!(reason.contains("control.client_ca_file"), "{reason}");
}

#[test]
fn the_example_for_deployment_is_a_configuration() {
    let config = Config::parse(include_str!("../../../../deploy/stoad.yaml")).unwrap();
    assert!(config.media().is_ok());
}

/// MINIMAL with two tenants that have a token key each.
fn with_token_keys(first: &str, second: &str) -> Config {
    let key = "algorithm: EdDSA, public_key: 3bXrUSvMP1I3bUhnS0H7yxLqYbrWE5nNTSWe2nDS7Ak";
    let keys = |kid: &str| format!("    token_keys: [{{kid: {kid}, {key}}}]\n");
    let text = format!("{MINIMAL}{}  - name: two\n{}", keys(first), keys(second));
    Config::parse(&text).unwrap()
}

#[test]
fn a_token_key_has_a_name_of_its_own_over_all_tenants() {
    let keys = with_token_keys("a", "b").token_keys().expect("two names");
    assert!(!keys.is_empty());
    let twice = with_token_keys("a", "a").token_keys();
    let error = twice.expect_err("one name").to_string();
    assert!(error.contains("token_keys"), "{error}");
}

#[test]
fn whip_without_a_token_key_is_refused() {
    let whip = "whip:\n  listen: ['127.0.0.1:0']\n  certificate_file: a\n  private_key_file: b\n";
    let config = Config::parse(&format!("{MINIMAL}{whip}")).unwrap();
    let error = config.whip().expect_err("nobody could enter").to_string();
    assert!(error.contains("token_keys"), "{error}");
    assert!(
        Config::parse(MINIMAL)
            .unwrap()
            .whip()
            .is_ok_and(|none| none.is_none())
    );
}
