//! A line that is typed and not shown.
//!
//! The terminal stops to show what is typed before the question is on it, so that not even a program that answers at
//! once is shown, and what was typed earlier is thrown away. Ctrl-C and Ctrl-\\ reach this program as characters that
//! end the line: as signals they would end the process and leave the terminal as it is then, showing nothing.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use zeroize::Zeroizing;

/// Longest answer, in bytes; terminals hand over lines of 4096 at most.
const ANSWER_BYTES_MAX: usize = 4096;
/// What Ctrl-C types: end of text.
const INTERRUPT: u8 = 0x03;
/// What Ctrl-\ types: file separator.
const QUIT: u8 = 0x1c;

/// Asks on the terminal of this process, wherever its standard streams go.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] if the answer was Ctrl-C or Ctrl-\, and what the terminal reports.
pub fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let quiet = Quiet::on(terminal.try_clone()?)?;
    terminal.write_all(question.as_bytes())?;
    let answer = line(&mut terminal);
    drop(quiet);
    if answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        terminal.write_all(b"\n")?;
    }
    answer
}

fn line(terminal: &mut File) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
    let mut byte = Zeroizing::new([0]);
    while bytes.len() < ANSWER_BYTES_MAX && terminal.read(byte.as_mut())? == 1 && *byte != [b'\n'] {
        if matches!(*byte, [INTERRUPT | QUIT]) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        bytes.extend_from_slice(byte.as_ref());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("what was typed is no UTF-8 text"))?;
    Ok(Zeroizing::new(text.trim_end_matches('\r').to_owned()))
}

/// A terminal that shows nothing but line breaks, until this goes away.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn on(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        modes.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        modes.special_codes[SpecialCodeIndex::VEOL2] = QUIT;
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs no modes.
        let _ = tcsetattr(&self.terminal, OptionalActions::Drain, &self.before);
    }
}
