//! Links in the documents lead somewhere: to a file that is there, and in it to a heading that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Finding;

/// A link of a document.
#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    line: usize,
    target: &'a str,
}

/// The links of the document at `path` that lead nowhere below `root`.
pub(super) fn check(root: &Path, path: &str, text: &str) -> Vec<Finding> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let finding = |link: Link<'_>| {
        let why = fault(&root.join(folder), text, link.target)?;
        let message = format!("the link to {} leads nowhere: {why}", link.target);
        Some(Finding::new(format!("{path}:{}", link.line), message))
    };
    links(text).into_iter().filter_map(finding).collect()
}

/// Why a link of a document in this folder leads nowhere; `None` if it leads somewhere, or out of the repository.
fn fault(folder: &Path, own: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let file = folder.join(path);
    if !path.is_empty() && !file.exists() {
        return Some("there is no such file".to_owned());
    }
    if fragment.is_empty() {
        return None;
    }
    let is_there = match path.is_empty() {
        true => headings(own).contains(fragment),
        false => fs::read_to_string(&file).is_ok_and(|text| headings(&text).contains(fragment)),
    };
    (!is_there).then(|| format!("there is no heading #{fragment}"))
}

/// The links of a Markdown text, but for those in code.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else {
                break;
            };
            found.push(Link {
                line: number,
                target,
            });
            rest = after;
        }
    }
    found
}

/// The lines that are not in a fenced block, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        (!is_code && !is_fence).then_some((index + 1, line))
    })
}

/// What the headings of a text are called in links, as forges make it: small letters, no punctuation, hyphens for
/// spaces, and a number behind one that was there before.
fn headings(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let name: String = heading
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
            .map(|c| if c == ' ' { '-' } else { c })
            .flat_map(char::to_lowercase)
            .collect();
        let again = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone())
            .chain(again)
            .find(|name| !found.contains(name));
        found.extend(free);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "[a](b.md), ![c](d.png)\n```sh\n[no](no)\n```\n| [e](#f) |\n[unfinished](x";
        let targets: Vec<_> = links(text)
            .iter()
            .map(|link| (link.line, link.target))
            .collect();
        assert_eq!(targets, [(1, "b.md"), (1, "d.png"), (5, "#f")]);
    }

    #[test]
    fn headings_are_named_as_in_links() {
        let text = "# The `node`, at work\n## Exit codes\n## Exit codes\n#no\n```\n# code\n```\n";
        let names: Vec<_> = headings(text).into_iter().collect();
        assert_eq!(names, ["exit-codes", "exit-codes-1", "the-node-at-work"]);
    }

    #[test]
    fn a_link_to_nowhere_is_named_with_its_place() {
        // Of this repository, since links are about files.
        let root = crate::workspace::root();
        let good = "# Own\n[1](configuration.md) [2](configuration.md#exit-codes) [3](#own) [4](https://x/y) [5](../deploy/)";
        assert!(check(&root, "docs/a.md", good).is_empty());
        let bad = "[1](gone.md)\n[2](configuration.md#gone)\n[3](#gone)\n[4](../deploy/#gone)\n";
        let places: Vec<String> = check(&root, "docs/a.md", bad)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, [1, 2, 3, 4].map(|line| format!("docs/a.md:{line}")));
    }
}
