//! Whether certificates are good for long enough, and keys are nobody else's to read.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use super::finding::Finding;
use crate::config::{Config, Identity};

const CHECK: &str = "certificates";

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Whoever renews by hand needs some days to do it.
const SOON_DAYS: u64 = 14;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    // One that cannot be read, or whose key is another's, is said by the check of the configuration.
    let identities = config.identities();
    let certificates = identities
        .iter()
        .filter_map(|identity| Some((identity, identity.chain().ok()?)));
    let mut findings: Vec<Finding> = certificates
        .map(|(identity, chain)| {
            judge(
                identity,
                chain.first().map_or(&[], |first| first),
                SystemTime::now(),
            )
        })
        .collect();
    findings.extend(config.secret_files().into_iter().filter_map(secret));
    findings
}

fn judge(identity: &Identity, der: &[u8], now: SystemTime) -> Finding {
    let (section, file) = (identity.section, identity.certificate.display());
    let renew = format!(
        "openssl x509 -in {file} -noout -dates -ext subjectAltName    (issue a new one; the node reads it by itself)"
    );
    let fail = |what: &str, meaning| {
        Finding::fail(CHECK, format!("{section}: {file} {what}"), meaning).mend(&renew)
    };
    let Ok(certificate) = Certificate::from_der(der) else {
        return fail("is no certificate of X.509", "no call comes through");
    };
    let certificate = certificate.tbs_certificate();
    let names = names(certificate);
    if names.is_empty() {
        return fail(
            "has no name (subjectAltName)",
            "every caller refuses the node",
        );
    }
    let validity = certificate.validity();
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (from, until) = (
        validity.not_before.to_unix_duration(),
        validity.not_after.to_unix_duration(),
    );
    if now < from {
        return fail("is not valid yet", "no call comes through until it is");
    }
    let Some(left) = until.checked_sub(now) else {
        return fail(
            "has expired",
            "no call comes through, and nobody new can join",
        );
    };
    let days = left.as_secs() / DAY.as_secs();
    let measured = format!(
        "{section}: {file} is for {} and good for {days} days",
        names.join(", ")
    );
    match days {
        0..SOON_DAYS => Finding::warn(
            CHECK,
            measured,
            "then no call comes through, and nobody new can join",
        )
        .mend(renew),
        _ => Finding::ok(CHECK, measured),
    }
}

/// What the certificate is for.
fn names(certificate: &x509_cert::TbsCertificate) -> Vec<String> {
    let Ok(Some((_, names))) = certificate.get_extension::<SubjectAltName>() else {
        return Vec::new();
    };
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => match octets.as_bytes() {
            octets if octets.len() == 4 => <[u8; 4]>::try_from(octets)
                .ok()
                .map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
            octets => <[u8; 16]>::try_from(octets)
                .ok()
                .map(|ip| std::net::Ipv6Addr::from(ip).to_string()),
        },
        _ => None,
    };
    names.0.iter().filter_map(text).collect()
}

/// A file with a secret. One that is not there is said by the check of the configuration.
fn secret(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let file = path.display();
    let measured = format!("{file} has mode {mode:03o}");
    Some(match mode & 0o027 {
        0 => Finding::ok(CHECK, measured),
        _ => Finding::fail(
            CHECK,
            measured,
            "others on this machine can pretend to be the node, or let people in",
        )
        .mend(format!("chmod o=,g-w {file}")),
    })
}
