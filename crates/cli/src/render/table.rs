//! Tables that fit the terminal.
//!
//! A table of keys and values is never broken by line breaks of ours, so that what is copied from it is whole. Wider
//! tables are fitted to the terminal, and shown as one block for each row where even that does not help. What goes to a
//! pipe has one line for each row.

use comfy_table::{ContentArrangement, Table};
use std::io::IsTerminal as _;

/// Rows of cells.
pub type Rows = Vec<Vec<String>>;

/// Blanks between columns.
const GAP: u16 = 4;
/// Narrowest useful column, in characters.
const COLUMN_MIN: usize = 8;

/// A table with a heading.
pub fn table(heads: &[&str], rows: &Rows) -> String {
    if !std::io::stdout().is_terminal() {
        return plain(heads, rows, None);
    }
    let rows = rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    match Table::new().width().map(usize::from) {
        Some(width) if heads.len() > 2 => fitted(heads, &rows, width),
        _ => plain(heads, &rows, None),
    }
}

/// A cell for a terminal: a stored value must not move the cursor, change the title or hide what follows.
pub(super) fn visible(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for letter in cell.chars() {
        if letter.is_control() && !matches!(letter, '\n' | '\t') {
            text.extend(letter.escape_unicode());
        } else {
            text.push(letter);
        }
    }
    text
}

/// A table of keys and values.
pub fn pairs(rows: &[(String, String)]) -> String {
    let rows: Rows = rows.iter().map(|(key, value)| vec![key.clone(), value.clone()]).collect();
    table(&["Key", "Value"], &rows)
}

/// A table under a title.
pub fn section(title: &str, body: &str) -> String {
    let width = body.lines().take(2).map(|line| line.chars().count()).max().unwrap_or_default();
    let inner = title.chars().count() + 2;
    let missing = width.saturating_sub(inner);
    let (left, right) = ((missing / 2).max(1), (missing - missing / 2).max(1));
    format!("{} {title} {}\n{body}", "=".repeat(left), "=".repeat(right))
}

pub(super) fn fitted(heads: &[&str], rows: &Rows, width: usize) -> String {
    let whole = plain(heads, rows, None);
    if whole.lines().all(|line| line.chars().count() <= width) {
        return whole;
    }
    let least: usize = heads.iter().map(|head| head.chars().count().max(COLUMN_MIN) + usize::from(GAP)).sum();
    if least <= width { plain(heads, rows, u16::try_from(width).ok()) } else { blocks(heads, rows) }
}

fn plain(heads: &[&str], rows: &Rows, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).force_no_tty();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.add_row(heads.to_vec());
    table.add_row(heads.iter().map(|head| "-".repeat(head.chars().count())));
    for row in rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn blocks(heads: &[&str], rows: &Rows) -> String {
    let block = |row: &Vec<String>| {
        let cells: Rows = heads.iter().zip(row).map(|(head, cell)| vec![(*head).to_owned(), cell.clone()]).collect();
        plain(&["Key", "Value"], &cells, None)
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
}
