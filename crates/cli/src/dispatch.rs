//! From the words of a call to the command they name.

use crate::command::{Action, Command};
use crate::commands::COMMANDS;
use crate::common;
use crate::failure::{Failure, NO_COMMAND, Outcome, WRONG_USE};
use crate::flags::{self, Arguments, Parsed};
use crate::session::Session;
use crate::terminal::Terminal;
use crate::{completion, help, nearest};

/// Runs what the words name; the exit code.
pub fn run(program: String, words: &[String]) -> u8 {
    let mut terminal = Terminal { program, interactive: true };
    match dispatch(&mut terminal, words) {
        Ok(()) => 0,
        Err(failure) => {
            terminal.show(&failure);
            failure.exit
        }
    }
}

fn dispatch(terminal: &mut Terminal, words: &[String]) -> Outcome {
    let (before, words) = leading_flags(words);
    let Some((first, rest)) = words.split_first() else { return bare(terminal, before) };
    if first == completion::ASK {
        return completion::answer(terminal, rest);
    }
    if first == "help" {
        return explain(terminal, rest);
    }
    let Some((command, path, rest)) = find(words) else { return Err(no_command(terminal, first)) };
    let words: Vec<String> = before.iter().chain(rest).cloned().collect();
    if let Action::Group(children) = command.action {
        return group(terminal, command, &path, children, &words);
    }
    let arguments = match flags::parse(&command.all_flags(), &words).map_err(|failure| see_help(failure, &path))? {
        Parsed::Help => return terminal.print(&help::of(&terminal.program, &path, command)),
        Parsed::Run(arguments) => arguments,
    };
    command.check_count(&arguments).map_err(|failure| usage_of(failure, command, &path))?;
    terminal.interactive = !arguments.get(&common::NON_INTERACTIVE);
    start(terminal, command, &arguments)
}

fn start(terminal: &Terminal, command: &Command, arguments: &Arguments) -> Outcome {
    match command.action {
        Action::Local(run) => run(terminal, arguments),
        Action::Remote(run) => run(&Session::new(terminal, arguments)?, arguments),
        Action::Group(_) => Ok(()),
    }
}

/// Flags before the command, which belong to it.
fn leading_flags(words: &[String]) -> (&[String], &[String]) {
    let mut index = 0;
    while let Some((name, value)) = words.get(index).and_then(|word| flags::flag(word)) {
        let known = common::ALL.iter().find(|about| about.name == name || about.alias == Some(name));
        let takes_next = value.is_none() && known.is_some_and(|about| !about.is_switch());
        index += 1 + usize::from(takes_next);
    }
    words.split_at(index.min(words.len()))
}

/// The deepest command that the words name, the words that lead there, and those left.
fn find(words: &[String]) -> Option<(&'static Command, String, &[String])> {
    let (first, mut rest) = words.split_first()?;
    let mut command = *COMMANDS.iter().find(|command| command.name == first)?;
    let mut path = command.name.to_owned();
    while let Some((next, after)) = rest.split_first() {
        let Some(child) = command.children().iter().find(|child| child.name == next) else { break };
        (command, rest) = (child, after);
        path = format!("{path} {next}");
    }
    Some((command, path, rest))
}

/// A call without a command.
fn bare(terminal: &Terminal, flags: &[String]) -> Outcome {
    let name = flags.first().and_then(|word| flags::flag(word)).map(|(name, _)| name).unwrap_or_default();
    match name {
        "version" | "v" => crate::commands::version::print(terminal),
        "h" | "help" => terminal.print(&help::overview(&terminal.program, COMMANDS)),
        "autocomplete-install" => completion::install(terminal),
        "autocomplete-uninstall" => completion::uninstall(terminal),
        _ => {
            terminal.say(&help::overview(&terminal.program, COMMANDS));
            Err(Failure::ended(NO_COMMAND))
        }
    }
}

fn explain(terminal: &Terminal, words: &[String]) -> Outcome {
    let Some(first) = words.first() else { return terminal.print(&help::overview(&terminal.program, COMMANDS)) };
    let (command, path, _) = find(words).ok_or_else(|| no_command(terminal, first))?;
    terminal.print(&help::of(&terminal.program, &path, command))
}

fn group(terminal: &Terminal, command: &Command, path: &str, children: &[&Command], words: &[String]) -> Outcome {
    let text = help::of(&terminal.program, path, command);
    match words.first().map(|word| (word, flags::flag(word))) {
        Some((_, Some(("h" | "help", _)))) => return terminal.print(&text),
        Some((word, None)) => {
            let failure = Failure::usage(format!("There is no command \"{path} {word}\"."));
            let near = nearest::of(word, children.iter().map(|child| child.name));
            return Err(match near {
                Some(near) => failure.hint(format!("Did you mean \"{{program}} {path} {near}\"?")),
                None => failure.hint(format!("\"{{program}} {path} -h\" lists those that there are.")),
            });
        }
        _ => terminal.say(&text),
    }
    Err(Failure::ended(WRONG_USE))
}

fn no_command(terminal: &Terminal, word: &str) -> Failure {
    let failure = Failure { exit: NO_COMMAND, ..Failure::usage(format!("There is no command \"{word}\".")) };
    match nearest::of(word, COMMANDS.iter().map(|command| command.name)) {
        Some(near) => failure.hint(format!("Did you mean \"{} {near}\"?", terminal.program)),
        None => failure.hint("\"{program} -h\" lists those that there are.".to_owned()),
    }
}

fn see_help(failure: Failure, path: &str) -> Failure {
    failure.hint(format!("\"{{program}} {path} -h\" explains the flags."))
}

fn usage_of(failure: Failure, command: &Command, path: &str) -> Failure {
    let usage = format!("Usage: {{program}} {path} {}", command.arguments);
    failure.hint(format!("{}\n\"{{program}} {path} -h\" shows examples.", usage.trim_end()))
}
