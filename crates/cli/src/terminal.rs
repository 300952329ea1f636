//! The person at the terminal: what is printed, asked and warned.

use crate::failure::{Failure, INTERRUPTED, Outcome};
use crate::hidden;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use zeroize::Zeroizing;

/// Longest input that is read from standard input or a file, in bytes: the longest body that servers take.
pub const INPUT_BYTES_MAX: u64 = 32 << 20;

/// Where a command talks to people.
pub struct Terminal {
    /// The name the program was started under.
    pub program: String,
    /// Whether it may ask.
    pub interactive: bool,
}

impl Terminal {
    /// Prints text and a line break.
    pub fn print(&self, text: &str) -> Outcome {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Prints bytes as they are; a line break follows only where a person would miss it.
    pub fn print_bare(&self, bytes: &[u8]) -> Outcome {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        if io::stdout().is_terminal() && !bytes.ends_with(b"\n") {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Says something that is no output.
    pub fn say(&self, text: &str) {
        // If nobody listens on standard error there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{}", text.replace("{program}", &self.program));
    }

    /// Warns.
    pub fn warn(&self, text: &str) {
        self.say(&colored("33", &format!("WARNING! {text}")));
    }

    /// Shows how a command failed and what to do next.
    pub fn show(&self, failure: &Failure) {
        if !failure.message.is_empty() {
            self.say(&colored("31", &failure.message));
            if let Some(hint) = &failure.hint {
                self.say(&format!("\n{hint}"));
            }
        }
    }

    /// Asks for something that must not be seen.
    pub fn ask_secret(&self, what: &str, instead: &str) -> Outcome<Zeroizing<String>> {
        let refused =
            |why: &str| Failure::refused(format!("{what} cannot be asked for: {why}.")).hint(instead.to_owned());
        if !self.interactive {
            return Err(refused("-non-interactive was given"));
        }
        if !io::stdin().is_terminal() {
            return Err(refused("standard input is no terminal"));
        }
        let answer = hidden::ask(&format!("{what} (will be hidden): ")).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Failure::ended(INTERRUPTED),
            _ => refused(&error.to_string()),
        })?;
        Ok(Zeroizing::new(answer.trim().to_owned()))
    }

    /// A secret from standard input; where that is a terminal, asked for and not shown.
    pub fn secret_input(&self, what: &str) -> Outcome<Zeroizing<String>> {
        if io::stdin().is_terminal() { self.ask_secret(what, "Pipe it in.") } else { self.input() }
    }

    /// Everything from standard input.
    pub fn input(&self) -> Outcome<Zeroizing<String>> {
        if io::stdin().is_terminal() {
            self.say("Reading from the terminal; Ctrl-D on a line of its own ends it.");
        }
        read(io::stdin().lock(), "standard input")
    }

    /// Everything from a file.
    pub fn file(&self, path: &str) -> Outcome<Zeroizing<String>> {
        let name = match (path.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => path.into(),
        };
        let file = std::fs::File::open(&name).map_err(|error| Failure::usage(format!("open {path}: {error}")))?;
        read(file, path)
    }
}

fn read(source: impl io::Read, name: &str) -> Outcome<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = source.take(INPUT_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("read {name}: {error}")))?;
    if text.len() as u64 > INPUT_BYTES_MAX {
        return Err(Failure::usage(format!("{name} is longer than {} MiB", INPUT_BYTES_MAX >> 20)));
    }
    Ok(text)
}

/// Colored for people who see it on a terminal and did not ask for none.
fn colored(color: &str, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some()
        || client::variable("CLI_NO_COLOR").is_some_and(|value| client::is_true(&value));
    if plain || !io::stderr().is_terminal() { text.to_owned() } else { format!("\u{1b}[{color}m{text}\u{1b}[0m") }
}
