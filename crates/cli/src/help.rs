//! Help, from the table of commands.

use crate::command::{Action, Command};
use crate::common;
use crate::flags::FlagAbout;

/// Width that texts are filled to, in characters.
const WIDTH: usize = 80;

/// Help for all commands.
pub fn overview(program: &str, commands: &[&Command]) -> String {
    let mut text = format!("Usage: {program} COMMAND [ARGUMENTS]\n\nCommands:\n{}", listed(commands));
    text.push_str(&format!(
        "\n\"{program} COMMAND -h\" tells more of a command, with examples. Flags have one or two dashes. The server's\n\
         address comes from VAULT_ADDR or -address, the token from VAULT_TOKEN or \"{program} login\".\n"
    ));
    text
}

/// Help for a command, of which `words` leads to it.
pub fn of(program: &str, words: &str, command: &Command) -> String {
    let group = matches!(command.action, Action::Group(_));
    let arguments = if group { "COMMAND [ARGUMENTS]" } else { command.arguments };
    let flags = if command.all_flags().is_empty() { "" } else { "[FLAGS] " };
    let mut text = format!("Usage: {program} {words} {flags}{arguments}").trim_end().to_owned();
    text.push_str("\n\n");
    for paragraph in command.about.split("\n\n") {
        text.push_str(&filled(&paragraph.replace("{program}", program), 2));
        text.push('\n');
    }
    for (what, line) in command.examples {
        text.push_str(&format!("  {what}:\n\n      $ {program} {line}\n\n"));
    }
    if group {
        text.push_str(&format!("Commands:\n{}", listed(command.children())));
    }
    if !command.flags.is_empty() {
        text.push_str(&format!("Flags:\n\n{}", described(program, command.flags)));
    }
    if matches!(command.action, Action::Remote(_)) {
        text.push_str(&format!("Flags of connection and output:\n\n{}", described(program, &common::ALL)));
    }
    text
}

fn listed(commands: &[&Command]) -> String {
    let width = commands.iter().map(|command| command.name.len()).max().unwrap_or_default();
    commands.iter().map(|command| format!("    {:width$}    {}\n", command.name, command.summary)).collect()
}

fn described(program: &str, flags: &[&FlagAbout]) -> String {
    let mut flags = flags.to_vec();
    flags.sort_by_key(|about| about.name);
    let describe = |about: &&FlagAbout| {
        let value = if about.is_switch() { String::new() } else { format!("={}", about.placeholder) };
        let alias = about.alias.map(|alias| format!(", -{alias}")).unwrap_or_default();
        let variable = about.variable.map(|name| format!(" Variable: VAULT_{name}.")).unwrap_or_default();
        let help = format!("{}{variable}", about.help.replace("{program}", program));
        format!("  -{}{value}{alias}\n{}\n", about.name, filled(&help, 6))
    };
    flags.iter().map(describe).collect()
}

/// Text filled to the width, each line indented.
fn filled(text: &str, indent: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&format!("{:indent$}{line}\n", ""));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push_str(&format!("{:indent$}{line}\n", ""));
    lines
}
