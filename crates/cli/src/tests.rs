//! The table of commands, flags and completion.

use crate::command::{Action, Command, Count};
use crate::commands::COMMANDS;
use crate::completion::candidates;
use crate::flags::{Arguments, Flag, FlagAbout, Parsed, Seconds, flag, parse};
use crate::{help, nearest};
use std::collections::BTreeSet;

static SWITCH: Flag<bool> = Flag::switch("switch", "A switch.").alias("s");
static TEXT: Flag<Option<String>> = Flag::new("text", "TEXT", "A text.");
static LIST: Flag<Vec<String>> = Flag::new("list", "TEXT", "A list.");
static TTL: Flag<Option<Seconds>> = Flag::new("ttl", "DURATION", "A duration.");
static FLAGS: [&FlagAbout; 4] = [&SWITCH.about, &TEXT.about, &LIST.about, &TTL.about];

fn parsed(line: &str) -> Arguments {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    match parse(&FLAGS, &words).unwrap() {
        Parsed::Run(arguments) => arguments,
        Parsed::Help => panic!("help"),
    }
}

fn refused(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    parse(&FLAGS, &words).err().unwrap().message
}

#[test]
fn flags_have_gos_syntax() {
    for line in ["-text=v -switch a", "--text v --switch=true a", "a -text v -s", "-s=1 -text=v a"] {
        let arguments = parsed(line);
        assert_eq!((arguments.get(&TEXT).as_deref(), arguments.get(&SWITCH)), (Some("v"), true), "{line}");
        assert_eq!(arguments.positional, ["a"], "{line}");
    }
    let arguments = parsed("-switch=false -list=a -list b - -- -text");
    assert!(!arguments.get(&SWITCH) && arguments.has(&SWITCH) && !arguments.has(&TEXT));
    assert_eq!(arguments.get(&LIST), ["a", "b"]);
    assert_eq!(arguments.positional, ["-", "-text"]);
    assert_eq!(parsed("-ttl=1h30m").get(&TTL), Some(Seconds(5400)));
    assert_eq!(parsed("-text=").get(&TEXT).as_deref(), Some(""));
}

#[test]
fn wrong_flags_are_refused_by_name_and_without_their_values() {
    assert_eq!(refused("-nope"), "flag provided but not defined: -nope");
    assert_eq!(refused("-text"), "flag needs an argument: -text");
    assert_eq!(refused("-ttl=CANARY"), "invalid value for flag -ttl: expected a duration such as 90s, 30m or 1h30m");
    assert_eq!(refused("-switch=maybe"), "invalid value for flag -switch: expected true or false");
    assert!(matches!(parse(&FLAGS, &["-h".to_owned()]).unwrap(), Parsed::Help));
    assert_eq!(flag("--a=b=c"), Some(("a", Some("b=c"))));
    assert_eq!((flag("-"), flag("a")), (None, None));
}

#[test]
fn slips_are_noticed() {
    let names = || ["read", "write", "list", "login"].into_iter();
    assert_eq!(nearest::of("raed", names()), Some("read"));
    assert_eq!(nearest::of("lst", names()), Some("list"));
    assert_eq!(nearest::of("frobnicate", names()), None);
}

fn visit(words: &str, command: &'static Command, seen: &mut Vec<(String, &'static Command)>) {
    let words = format!("{words} {}", command.name).trim_start().to_owned();
    seen.push((words.clone(), command));
    command.children().iter().for_each(|child| visit(&words, child, seen));
}

fn all() -> Vec<(String, &'static Command)> {
    let mut seen = Vec::new();
    COMMANDS.iter().for_each(|command| visit("", command, &mut seen));
    seen
}

#[test]
fn every_command_explains_itself() {
    for (words, command) in all() {
        assert!(!command.summary.is_empty() && !command.summary.ends_with('.'), "{words}");
        assert!(command.about.ends_with('.') && !command.examples.is_empty(), "{words}");
        let mut names = BTreeSet::new();
        for about in command.all_flags() {
            assert!(names.insert(about.name), "{words}: -{} twice", about.name);
            assert!(about.alias.is_none_or(|alias| names.insert(alias)), "{words}: -{} has a taken alias", about.name);
            assert!(about.help.ends_with('.'), "{words}: -{}", about.name);
        }
        let text = help::of("coffer", &words, command);
        assert!(text.lines().all(|line| line.chars().count() <= 132), "{words}");
    }
}

/// An example that cannot be run would be worse than none.
#[test]
fn every_example_parses() {
    for (_, command) in all() {
        for (_, line) in command.examples {
            let line = line.split(" > ").next().unwrap().split(" < ").next().unwrap().split(" | ").next().unwrap();
            let words: Vec<String> = line.split(' ').map(|word| word.trim_matches('\'').to_owned()).collect();
            let found = all().into_iter().filter(|(name, _)| format!("{line} ").starts_with(&format!("{name} ")));
            let (name, found) = found.max_by_key(|(name, _)| name.len()).unwrap();
            let depth = name.split(' ').count();
            match parse(&found.all_flags(), &words[depth..]).unwrap() {
                Parsed::Run(arguments) if !line.contains("-description=") => found.check_count(&arguments).unwrap(),
                _ => {}
            }
        }
    }
}

#[test]
fn completion_knows_commands_flags_and_formats() {
    let ask = |line: &str| candidates(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(ask("sec"), ["secrets"]);
    assert_eq!(ask("kv me"), ["metadata"]);
    assert_eq!(ask("operator ini"), ["init"]);
    assert_eq!(ask("kv get -ver"), ["-version="]);
    assert_eq!(ask("kv get -format=js"), ["-format=json"]);
    assert_eq!(ask("kv get -format = ya"), ["yaml"]);
    assert_eq!(ask("server -dev-t"), ["-dev-tls", "-dev-tls-cert-dir="]);
    assert!(ask("").contains(&"read".to_owned()));
}

#[test]
fn counts_are_checked() {
    static COMMAND: Command = Command {
        name: "x",
        summary: "",
        arguments: "",
        count: Count::Between(1, 2),
        about: "",
        examples: &[],
        flags: &[],
        action: Action::Group(&[]),
    };
    let check = |line: &str| COMMAND.check_count(&parsed(line)).map_err(|failure| failure.message);
    assert_eq!(check("-s"), Err("Not enough arguments (expected 1 to 2, got 0)".to_owned()));
    assert_eq!(check("a b"), Ok(()));
    assert_eq!(check("a b c"), Err("Too many arguments (expected 1 to 2, got 3)".to_owned()));
}
