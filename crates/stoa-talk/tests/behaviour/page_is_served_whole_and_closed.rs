//! The page and all it needs come from the service itself, under a policy that lets nothing else in.

use std::collections::BTreeSet;

use crate::support::Service;

/// What stands between `before` and the next quotation mark, everywhere in the text.
fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test]
async fn everything_the_page_names_is_served_with_its_type() {
    let service = Service::without_stoa().await;
    let mut open: Vec<String> = vec!["/".into()];
    let mut seen = BTreeSet::new();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (status, head, body) = service.get(&path).await;
        assert_eq!(status, 200, "{path}");
        let expected = match path.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("svg") => "image/svg+xml",
            _ => "text/html",
        };
        assert!(
            head.contains(&format!("content-type: {expected}")),
            "{path}: {head}"
        );
        open.extend(
            ["src=\"", "href=\""]
                .iter()
                .flat_map(|b| quoted(&body, b))
                .map(Into::into),
        );
        open.extend(
            quoted(&body, "from \"./")
                .iter()
                .map(|name| format!("/assets/{name}")),
        );
        let hosts: Vec<_> = quoted(&body, "\"http")
            .into_iter()
            .filter(|u| u.contains("://"))
            .collect();
        assert!(
            hosts.iter().all(|h| h.contains("www.w3.org")),
            "{path} names {hosts:?}"
        );
    }
    assert!(
        seen.contains("/assets/call.js"),
        "the modules' imports were followed: {seen:?}"
    );
    assert!(seen.contains("/assets/base.css"));
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let service = Service::without_stoa().await;
    for (path, expected) in [("/", 200), ("/assets/main.js", 200), ("/nothing", 404)] {
        let (status, head, _) = service.get(path).await;
        assert_eq!(status, expected, "{path}");
        let policy = head
            .lines()
            .find_map(|line| line.strip_prefix("content-security-policy: "))
            .unwrap_or_else(|| panic!("{path} has no policy"));
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!policy.contains("http"), "another host: {policy}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}");
        assert!(head.contains("referrer-policy: no-referrer"), "{path}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_that_the_policy_forbids() {
    let service = Service::without_stoa().await;
    let (_, _, html) = service.get("/").await;
    assert!(
        !html.contains(" style=") && !html.contains("<style"),
        "an inline style"
    );
    assert!(
        !html.contains(" onclick=") && !html.contains("javascript:"),
        "an inline handler"
    );
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').expect("a whole tag");
        assert!(tag.contains("src="), "an inline script");
        assert!(rest.starts_with("</script>"), "a script with a text");
    }
}
