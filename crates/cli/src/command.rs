//! What a command is: one row of a table that drives dispatch, help and completion.

use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, FlagAbout};
use crate::session::Session;
use crate::terminal::Terminal;

/// A command or a group of commands.
pub struct Command {
    /// Its word.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its arguments, for help.
    pub arguments: &'static str,
    /// How many arguments it takes.
    pub count: Count,
    /// What it does, in paragraphs; `{program}` stands for the name it was started under.
    pub about: &'static str,
    /// What for, and the words after the program's name.
    pub examples: &'static [(&'static str, &'static str)],
    /// Flags of its own.
    pub flags: &'static [&'static FlagAbout],
    /// What it runs.
    pub action: Action,
}

/// How many arguments a command takes.
#[derive(Debug, Clone, Copy)]
pub enum Count {
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
    /// From so many to so many.
    Between(usize, usize),
}

/// What a command runs.
pub enum Action {
    /// One of these.
    Group(&'static [&'static Command]),
    /// Something that needs no server.
    Local(fn(&Terminal, &Arguments) -> Outcome),
    /// Something with a server, with the flags of connection and output.
    Remote(fn(&Session, &Arguments) -> Outcome),
}

impl Command {
    /// The commands of a group.
    pub fn children(&self) -> &'static [&'static Command] {
        match self.action {
            Action::Group(children) => children,
            Action::Local(_) | Action::Remote(_) => &[],
        }
    }

    /// All flags it takes.
    pub fn all_flags(&self) -> Vec<&'static FlagAbout> {
        let common: &[&'static FlagAbout] = match self.action {
            Action::Remote(_) => &crate::common::ALL,
            Action::Local(_) | Action::Group(_) => &[],
        };
        self.flags.iter().chain(common).copied().collect()
    }

    /// That there are as many arguments as it takes.
    pub fn check_count(&self, arguments: &Arguments) -> Outcome {
        let given = arguments.positional.len();
        let (wanted, least, most) = match self.count {
            Count::Exactly(count) => (count.to_string(), count, count),
            Count::AtLeast(count) => (format!("{count} or more"), count, usize::MAX),
            Count::Between(least, most) => (format!("{least} to {most}"), least, most),
        };
        let what = match given {
            few if few < least => "Not enough",
            many if many > most => "Too many",
            _ => return Ok(()),
        };
        Err(Failure::usage(format!("{what} arguments (expected {wanted}, got {given})")))
    }
}
