//! Servers and calls. Each server has a folder of its own, which is its home too, and ends with its owner.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The binary under test.
pub const COFFER: &str = env!("CARGO_BIN_EXE_coffer");

/// What a call printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it went well.
    #[track_caller]
    pub fn fine(self) -> Self {
        assert_eq!(self.exit, 0, "{self:?}");
        self
    }
}

/// A person's shell: home, address, token.
pub struct Shell {
    pub home: tempfile::TempDir,
    pub program: PathBuf,
    pub variables: Vec<(String, String)>,
}

impl Shell {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), program: COFFER.into(), variables: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// A command without the variables of whoever runs the tests.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).current_dir(self.home.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs words, with this as standard input.
    pub fn run_with(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(&self.program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may have ended before it is written to.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { exit: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs words parted by blanks; `'` keeps blanks together.
    pub fn run(&self, line: &str) -> Ran {
        let words = words(line);
        self.run_with(&words.iter().map(String::as_str).collect::<Vec<_>>(), "")
    }

    /// What a call prints, without line breaks at its end.
    pub fn text(&self, line: &str) -> String {
        self.run(line).fine().out.trim_end().to_owned()
    }
}

/// Words parted by blanks; `'` keeps blanks together.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            other => {
                word.push(other);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// A server with the shell to talk to it.
pub struct Server {
    pub shell: Shell,
    child: Child,
}

impl Server {
    /// Development mode with the root token `root`.
    pub fn dev(flags: &[&str]) -> Self {
        let mut words =
            vec!["server", "-dev", "-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:0", "-dev-no-store-token"];
        words.extend(flags);
        let mut server = Self::start(Shell::new(), &words);
        server.shell.set("VAULT_TOKEN", "root");
        server
    }

    /// With a configuration; `more` is added to it.
    pub fn configured(more: &str) -> Self {
        let shell = Shell::new();
        let text = format!(
            "storage \"inmem\" {{}}\nlistener \"tcp\" {{\n  address = \"127.0.0.1:0\"\n  tls_disable = true\n}}\n{more}\n"
        );
        fs::write(shell.path("server.hcl"), text).unwrap();
        Self::start(shell, &["server", "-config=server.hcl"])
    }

    fn start(mut shell: Shell, words: &[&str]) -> Self {
        let log = fs::File::create(shell.path("server.log")).unwrap();
        let mut command = shell.command(Path::new(COFFER));
        let mut child = command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("Listeners: ").map(str::to_owned))
            .unwrap_or_else(|| panic!("no address; log: {}", fs::read_to_string(shell.path("server.log")).unwrap()));
        // The rest is printed at once; reading on keeps the pipe from filling.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        shell.set("VAULT_ADDR", address.split(", ").next().unwrap());
        Self { shell, child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
