//! A Rust file, split into what the compiler reads, what people read, and which lines are tests.
//!
//! The checks look for words. Without the split they would find them in the wrong place: `Mutex`
//! in a comment that says why there is none, or a forbidden word in the string that forbids it.

/// One Rust file. `code`, `comments`, `text` and `test` have one entry for each line of the file.
#[derive(Debug)]
pub(super) struct Source {
    /// The path from the root, with `/` between its parts.
    pub(super) path: String,
    /// Each line without comments and without the contents of strings and characters.
    pub(super) code: Vec<String>,
    /// Each line's comments alone, without their `//`.
    pub(super) comments: Vec<String>,
    /// Each line as it is written.
    pub(super) text: Vec<String>,
    /// Whether the line is compiled for tests only.
    pub(super) test: Vec<bool>,
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        let code: Vec<String> = code.lines().map(str::to_owned).collect();
        let comments = comments.lines().map(str::to_owned).collect();
        let whole_file = path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs");
        let test = if whole_file {
            vec![true; code.len()]
        } else {
            test_lines(&code)
        };
        Self {
            path: path.to_owned(),
            code,
            comments,
            text: text.lines().map(str::to_owned).collect(),
            test,
        }
    }

    /// The lines of code with their numbers, from 1, and whether they are tests.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let lines = self.code.iter().zip(&self.test).enumerate();
        lines.map(|(index, (code, test))| (index + 1, code.as_str(), *test))
    }

    /// `path:line`, as editors and terminals link it.
    pub(super) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

/// Where in the text we are.
enum State {
    Code,
    LineComment,
    /// Rust nests them.
    BlockComment(usize),
    String,
    /// Ends at a quote and this many `#`.
    RawString(usize),
}

/// Two copies of `text` with the same lines: the code and the comments.
fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut state = State::Code;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let mut width = 1;
        if c == '\n' {
            code.push('\n');
            comments.push('\n');
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            at += 1;
            continue;
        }
        match state {
            State::Code => match (c, next) {
                ('/', Some('/')) => (state, width) = (State::LineComment, 2),
                ('/', Some('*')) => (state, width) = (State::BlockComment(1), 2),
                ('"', _) => {
                    code.push('"');
                    state = State::String;
                }
                ('r', _) if raw_string(&chars, at).is_some() => {
                    let hashes = raw_string(&chars, at).unwrap_or_default();
                    code.push('"');
                    (state, width) = (State::RawString(hashes), hashes + 2);
                }
                ('\'', _) => {
                    code.push('\'');
                    width = character(&chars, at).unwrap_or(1);
                }
                _ => code.push(c),
            },
            State::LineComment => comments.push(c),
            State::BlockComment(depth) => match (c, next) {
                ('*', Some('/')) if depth == 1 => (state, width) = (State::Code, 2),
                ('*', Some('/')) => (state, width) = (State::BlockComment(depth - 1), 2),
                ('/', Some('*')) => (state, width) = (State::BlockComment(depth + 1), 2),
                _ => comments.push(c),
            },
            // A newline after the backslash is left for the top of the loop, which counts lines.
            State::String => match (c, next) {
                ('\\', Some(escaped)) if escaped != '\n' => width = 2,
                ('"', _) => {
                    code.push('"');
                    state = State::Code;
                }
                _ => {}
            },
            State::RawString(hashes) => {
                if c == '"' && (1..=hashes).all(|i| chars.get(at + i) == Some(&'#')) {
                    code.push('"');
                    (state, width) = (State::Code, hashes + 1);
                }
            }
        }
        at += width;
    }
    (code, comments)
}

/// If a raw string begins at this `r`: how many `#` it has. `r#name` and `for` are not one.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
    let before = |back: usize| at.checked_sub(back).and_then(|i| chars.get(i));
    let prefixed = before(1).is_some_and(|c| matches!(c, 'b' | 'c'));
    let outside = if prefixed { before(2) } else { before(1) };
    if outside.is_some_and(is_name) {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// If this quote begins a character and not a lifetime: how long the character is, quotes included.
fn character(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let rest = chars.get(at + 3..)?;
        return rest.iter().position(|c| *c == '\'').map(|end| end + 4);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(3)
}

/// Marks `#[cfg(test)]` and the item below it.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut test = vec![false; code.len()];
    let mut at = 0;
    while at < code.len() {
        if code[at].trim_start().starts_with("#[cfg(test)]") {
            let end = item_end(&code[at + 1..]) + at + 1;
            test[at..=end.min(code.len() - 1)].fill(true);
            at = end;
        }
        at += 1;
    }
    test
}

/// The index of the line where the first item ends: at its `;`, or where its braces close.
fn item_end(code: &[String]) -> usize {
    let mut depth = 0_usize;
    for (index, line) in code.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return index;
                    }
                }
                ';' if depth == 0 => return index,
                _ => {}
            }
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::parse("x.rs", text).code.join("\n")
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        assert_eq!(code("a(); // Mutex\nb();"), "a(); \nb();");
        assert_eq!(code("/* x /* y */ Mutex */ a();"), " a();");
        assert_eq!(code(r#"a("Mutex \" // no", b)"#), r#"a("", b)"#);
        assert_eq!(
            code("a(r#\"Mutex \" // no\"#, br\"x\\\")"),
            "a(\"\", b\"\")"
        );
        assert_eq!(code("a(\"one \\\n two\");\nb();"), "a(\"\n\");\nb();");
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        assert_eq!(code("a('\"', b);"), "a(', b);");
        assert_eq!(code(r"a('\'', '\u{1F600}', b)"), "a(', ', b)");
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code("r#type; for r in x {}"), "r#type; for r in x {}");
    }

    #[test]
    fn comments_keep_their_lines() {
        let source = Source::parse("x.rs", "a(); // one\n\n/* two\nthree */ b();\n");
        assert_eq!(source.comments, [" one", "", " two", "three "]);
    }

    #[test]
    fn only_items_under_cfg_test_are_tests() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let source = Source::parse("crates/x/src/a.rs", text);
        assert_eq!(source.test, [false, true, true, true, true, false]);
        let text = "#[cfg(test)]\nmod tests;\nfn c() {}\n";
        let source = Source::parse("crates/x/src/a.rs", text);
        assert_eq!(source.test, [true, true, false]);
    }

    #[test]
    fn files_of_tests_are_tests_throughout() {
        for path in [
            "crates/x/tests/a.rs",
            "crates/x/src/a/tests.rs",
            "x/src/tests/b.rs",
        ] {
            assert_eq!(Source::parse(path, "fn a() {}\n").test, [true], "{path}");
        }
        assert_eq!(
            Source::parse("xtask/src/test.rs", "fn a() {}\n").test,
            [false]
        );
    }
}
