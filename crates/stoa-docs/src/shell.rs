//! As much of a shell's grammar as documents need.

/// A simple command: what is between two of `;`, `|`, `&`, parentheses and line ends.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Simple {
    /// The line of its first word, from 0.
    pub(crate) line: usize,
    /// Its words, without quotes. Redirections are not among them.
    pub(crate) words: Vec<String>,
}

/// The commands of a script, in the order they end in.
pub(crate) fn commands(script: &str) -> Vec<Simple> {
    let mut reader = Reader {
        rest: script.chars().collect(),
        ..Reader::default()
    };
    reader.rest.reverse();
    reader.read(None);
    reader.found
}

/// Words that stand before a command and are none of its own.
const BEFORE: [&str; 10] = [
    "!", "do", "else", "exec", "if", "sudo", "then", "time", "until", "while",
];

#[derive(Default)]
struct Reader {
    /// What has not been read, backwards.
    rest: Vec<char>,
    line: usize,
    found: Vec<Simple>,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.pop();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn peek(&self) -> Option<char> {
        self.rest.last().copied()
    }

    /// Reads commands until this character, outside of quotes.
    fn read(&mut self, until: Option<char>) {
        let mut command = Simple::default();
        let mut word: Option<String> = None;
        while let Some(next) = self.next() {
            let text = |word: &mut Option<String>, more: &str| {
                word.get_or_insert_default().push_str(more);
            };
            if command.words.is_empty() && word.is_none() {
                command.line = self.line;
            }
            match next {
                '\n' | ';' | '|' | '&' | '(' | ')' => {
                    self.end(&mut command, &mut word);
                    if Some(next) == until {
                        return;
                    }
                }
                next if next.is_whitespace() => end_word(&mut command, &mut word),
                '#' if word.is_none() => {
                    while self.peek().is_some_and(|next| next != '\n') {
                        self.next();
                    }
                }
                '\\' => match self.next() {
                    Some('\n') | None => end_word(&mut command, &mut word),
                    Some(next) => text(&mut word, &next.to_string()),
                },
                '\'' => {
                    text(&mut word, "");
                    while let Some(next) = self.next().filter(|next| *next != '\'') {
                        text(&mut word, &next.to_string());
                    }
                }
                '"' => {
                    let quoted = self.quoted();
                    text(&mut word, &quoted);
                }
                '$' => {
                    let value = self.dollar();
                    text(&mut word, &value);
                }
                '<' | '>' => match self.placeholder(next) {
                    Some(name) => text(&mut word, &name),
                    None => {
                        // The number of a descriptor, as in `2>`, is part of it.
                        word.take_if(|word| word.chars().all(|c| c.is_ascii_digit()));
                        end_word(&mut command, &mut word);
                        self.redirection();
                    }
                },
                next => text(&mut word, &next.to_string()),
            }
        }
        self.end(&mut command, &mut word);
    }

    fn end(&mut self, command: &mut Simple, word: &mut Option<String>) {
        end_word(command, word);
        let mut ended = std::mem::take(command);
        let own = |word: &String| !BEFORE.contains(&word.as_str());
        let first = ended.words.iter().position(own);
        ended.words.drain(..first.unwrap_or(ended.words.len()));
        if !ended.words.is_empty() {
            self.found.push(ended);
        }
    }

    /// What is between double quotes; the first has been read.
    fn quoted(&mut self) -> String {
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                '"' => break,
                '\\' => text.extend(self.next().filter(|next| *next != '\n')),
                '$' => text += &self.dollar(),
                next => text.push(next),
            }
        }
        text
    }

    /// What comes behind a dollar sign. What `$(...)` runs is read as a command; what it prints is not known.
    fn dollar(&mut self) -> String {
        if self.peek() != Some('(') {
            return "$".to_owned();
        }
        self.next();
        if self.peek() == Some('(') {
            // Arithmetic.
            while self.next().is_some_and(|next| next != ')') {}
            self.next();
        } else {
            self.read(Some(')'));
        }
        "$()".to_owned()
    }

    /// `<name>`, where it is no redirection.
    fn placeholder(&mut self, opening: char) -> Option<String> {
        let ahead = self.rest.iter().rev();
        let name: String = ahead
            .take_while(|c| !c.is_whitespace() && **c != '>')
            .collect();
        let closed = self.rest.iter().rev().nth(name.chars().count()) == Some(&'>');
        if opening != '<' || !closed || !name.starts_with(char::is_alphabetic) {
            return None;
        }
        self.rest
            .truncate(self.rest.len() - name.chars().count() - 1);
        Some(format!("<{name}>"))
    }

    /// Leaves out where a redirection leads; its first character has been read.
    fn redirection(&mut self) {
        while self.peek().is_some_and(|next| "<>&-".contains(next)) {
            self.next();
        }
        while self.peek().is_some_and(|next| next == ' ') {
            self.next();
        }
        match self.peek() {
            Some('"') => {
                self.next();
                self.quoted();
            }
            _ => {
                while self
                    .peek()
                    .is_some_and(|next| !next.is_whitespace() && !";|&()".contains(next))
                {
                    self.next();
                }
            }
        }
    }
}

fn end_word(command: &mut Simple, word: &mut Option<String>) {
    command.words.extend(word.take());
}

#[cfg(test)]
mod tests {
    use super::commands;

    fn words(script: &str) -> Vec<(usize, String)> {
        let commands = commands(script).into_iter();
        commands
            .map(|command| (command.line, command.words.join("|")))
            .collect()
    }

    #[test]
    fn commands_end_where_a_shell_ends_them() {
        let script = "a 1 && b|c;d & # e\n\n  f \\\n  2 # g\nh#i\n";
        let expected = [
            (0, "a|1"),
            (0, "b"),
            (0, "c"),
            (0, "d"),
            (2, "f|2"),
            (4, "h#i"),
        ];
        assert_eq!(
            words(script),
            expected.map(|(line, text)| (line, text.to_owned()))
        );
    }

    #[test]
    fn quotes_keep_words_together() {
        let expected = [(0, "a|b c|d$e f|g h||i;j".to_owned())];
        assert_eq!(words("a 'b c' \"d$e f\" g\\ h '' i\\;j"), expected);
    }

    #[test]
    fn what_is_run_within_is_a_command_of_its_own() {
        let expected = [
            (0, "b|1".to_owned()),
            (1, "d".to_owned()),
            (0, "a|x$()|$()".to_owned()),
        ];
        assert_eq!(words("a x$(b 1) \"$(\nd)\""), expected);
        assert_eq!(words("n=$(( 1 + 2 ))s b"), [(0, "n=$()s|b".to_owned())]);
    }

    #[test]
    fn redirections_are_no_words_and_placeholders_are() {
        let expected = [(0, "a|b|--c=<d-e>|f".to_owned()), (0, "g".to_owned())];
        assert_eq!(
            words("a < in >out 2>&1 b --c=<d-e> 2> \"x y\" f | g >>h"),
            expected
        );
    }

    #[test]
    fn words_before_a_command_are_left_out() {
        let expected = [
            (0, "x".to_owned()),
            (0, "a".to_owned()),
            (0, "done".to_owned()),
        ];
        assert_eq!(words("while ! x; do sudo a; done"), expected);
    }
}
