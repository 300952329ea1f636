//! Shell completion: the shells ask this binary for the words that can follow, so they never disagree with it.

mod stored;

use crate::command::{Action, Command, Count};
use crate::commands::COMMANDS;
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::terminal::Terminal;
use std::io::Write as _;
use std::path::PathBuf;

/// The word by which shells ask.
pub const ASK: &str = "__complete";
/// Ends the lines that are put into a shell's own file.
const MARK: &str = "# completion of coffer";
/// Formats that can be completed.
const FORMATS: [&str; 4] = ["table", "json", "yaml", "raw"];

/// `completion`.
pub static COMPLETION: Command = Command {
    name: "completion",
    summary: "Print the completion of a shell",
    arguments: "bash|zsh|fish",
    count: Count::Exactly(1),
    about: "Prints a script that teaches a shell to complete commands and flags.\n\n\"{program} -autocomplete-install\" \
            puts it into the file that your shell reads at its start, and \"{program} -autocomplete-uninstall\" takes it \
            out again.",
    examples: &[
        ("For this shell only", "completion bash > /tmp/c && . /tmp/c"),
        ("For fish", "completion fish | source"),
    ],
    flags: &[],
    action: Action::Local(script),
};

fn script(terminal: &Terminal, arguments: &Arguments) -> Outcome {
    let name = &terminal.program;
    let text = match arguments.at(0) {
        "bash" => format!(
            "_{name}() {{\n    local IFS=$'\\n'\n    COMPREPLY=($({name} {ASK} \"${{COMP_WORDS[@]:1:COMP_CWORD}}\" 2>/dev/null))\n    \
             [[ ${{COMPREPLY[0]}} == *[=/] ]] && compopt -o nospace\n}}\ncomplete -o default -F _{name} {name}\n"
        ),
        "zsh" => format!(
            "#compdef {name}\n(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}\n_{name}() {{\n    local -a found\n    found=(\"${{(@f)$({name} {ASK} \"${{(@)words[2,CURRENT]}}\" \
             2>/dev/null)}}\")\n    [[ -n ${{found[1]}} ]] && compadd -Q -S '' -- \"${{found[@]}}\" || _files\n}}\ncompdef _{name} {name}\n"
        ),
        "fish" => {
            format!("complete -c {name} -a '({name} {ASK} (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'\n")
        }
        other => {
            return Err(Failure::usage(format!("There is no completion for {other}."))
                .hint("The shells are bash, zsh and fish.".to_owned()));
        }
    };
    terminal.print(&text)
}

/// Prints what can stand for the last of these words.
pub fn answer(terminal: &Terminal, words: &[String]) -> Outcome {
    let found = candidates(words);
    if found.is_empty() { Ok(()) } else { terminal.print(&found.join("\n")) }
}

/// What can stand for the last word.
pub fn candidates(words: &[String]) -> Vec<String> {
    let Some((typed, before)) = words.split_last() else { return Vec::new() };
    // bash parts `-format=js` into three words.
    if let [.., flag, equals] = before
        && equals == "="
    {
        return values(flag, typed, "");
    }
    if let Some((flag, value)) = typed.split_once('=') {
        return values(flag, value, &format!("{flag}="));
    }
    let mut command: Option<&'static Command> = None;
    let mut path = String::new();
    for word in before.iter().filter(|word| !word.starts_with('-')) {
        let below = command.map_or(COMMANDS, Command::children);
        if let Some(child) = below.iter().find(|child| child.name == word) {
            command = Some(child);
            path = format!("{path} {word}").trim_start().to_owned();
        }
    }
    if let Some(bare) = typed.strip_prefix("--").or_else(|| typed.strip_prefix('-')) {
        return flags(command, bare);
    }
    let below = command.map_or(COMMANDS, Command::children);
    if let Some(kind) = stored::kind(&path).filter(|_| below.is_empty()) {
        // bash parts `-mount=secret` into three words.
        let whole = before.join(" ").replace(" = ", "=");
        let mount = whole.split(' ').find_map(|word| word.trim_start_matches('-').strip_prefix("mount="));
        return stored::words(kind, typed, mount);
    }
    below.iter().map(|child| child.name.to_owned()).filter(|name| name.starts_with(typed.as_str())).collect()
}

fn flags(command: Option<&'static Command>, typed: &str) -> Vec<String> {
    let Some(command) = command else { return Vec::new() };
    let mut found: Vec<String> = command
        .all_flags()
        .iter()
        .filter(|about| about.name.starts_with(typed))
        .map(|about| format!("-{}{}", about.name, if about.is_switch() { "" } else { "=" }))
        .collect();
    found.sort();
    found
}

fn values(flag: &str, typed: &str, before: &str) -> Vec<String> {
    let formats = FORMATS.iter().filter(|format| flag.trim_start_matches('-') == "format" && format.starts_with(typed));
    formats.map(|format| format!("{before}{format}")).collect()
}

/// The file that the person's shell reads at its start, and the line for it.
fn place(terminal: &Terminal) -> Outcome<(PathBuf, String)> {
    let name = &terminal.program;
    let shell = std::env::var("SHELL").unwrap_or_default();
    let home = std::env::home_dir().ok_or_else(|| Failure::usage("There is no home folder."))?;
    match shell.rsplit('/').next().unwrap_or_default() {
        "bash" => Ok((home.join(".bashrc"), format!("source <({name} completion bash) {MARK}\n"))),
        "zsh" => Ok((home.join(".zshrc"), format!("source <({name} completion zsh) {MARK}\n"))),
        "fish" => Ok((home.join(".config/fish/config.fish"), format!("{name} completion fish | source {MARK}\n"))),
        _ => Err(Failure::usage(format!("SHELL is {shell:?}, for which there is no completion."))
            .hint("\"{program} completion bash\" prints a script to use by hand.".to_owned())),
    }
}

/// Puts the completion where the shell finds it.
pub fn install(terminal: &Terminal) -> Outcome {
    let (path, line) = place(terminal)?;
    let failed = |error: std::io::Error| Failure::file(&path.display().to_string(), &error);
    if std::fs::read_to_string(&path).unwrap_or_default().contains(line.trim_end()) {
        return terminal.print(&format!("The completion is in {} already.", path.display()));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)?;
    terminal.print(&format!("Success! Completion is in {}; a new shell has it.", path.display()))
}

/// Takes the completion out again.
pub fn uninstall(terminal: &Terminal) -> Outcome {
    let (path, line) = place(terminal)?;
    let failed = |error: std::io::Error| Failure::file(&path.display().to_string(), &error);
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    std::fs::write(&path, text.replace(&line, "")).map_err(failed)?;
    terminal.print(&format!("Success! Completion is out of {}.", path.display()))
}
