//! Formats HCL: indents by nesting, aligns the values of neighboring lines, and leaves every other byte as it is.

/// Blanks of a level.
const STEP: usize = 2;

/// What a line does to the nesting, and what it carries on from the line before.
#[derive(Default)]
struct State {
    depth: usize,
    comment: bool,
    heredoc: Option<String>,
}

/// The text, formatted; or what is wrong with it.
pub fn format(text: &str) -> Result<String, String> {
    let mut state = State::default();
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(end) = &state.heredoc {
            if line.trim() == end {
                state.heredoc = None;
            }
            lines.push(line.to_owned());
            continue;
        }
        let trimmed = line.trim();
        let before = state.depth;
        let inside_comment = state.comment;
        scan(trimmed, &mut state).map_err(|why| format!("line {}: {why}", index + 1))?;
        if trimmed.is_empty() {
            // One empty line is enough, and none is needed at the beginning.
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(String::new());
            }
            continue;
        }
        let closes = !inside_comment && trimmed.starts_with(['}', ']', ')']);
        let indent = STEP * before.saturating_sub(usize::from(closes));
        lines.push(format!("{:indent$}{trimmed}", ""));
    }
    if state.depth > 0 {
        return Err("a bracket is not closed".to_owned());
    }
    align(&mut lines);
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Ok(lines.join("\n") + "\n")
}

/// Follows brackets, strings and comments of a line.
fn scan(line: &str, state: &mut State) -> Result<(), String> {
    let mut letters = line.chars().peekable();
    let mut in_text = false;
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        match letter {
            '*' if state.comment && next == Some('/') => {
                letters.next();
                state.comment = false;
            }
            _ if state.comment => {}
            '\\' if in_text => drop(letters.next()),
            '"' => in_text = !in_text,
            _ if in_text => {}
            '#' => return Ok(()),
            '/' if next == Some('/') => return Ok(()),
            '/' if next == Some('*') => {
                letters.next();
                state.comment = true;
            }
            '<' if next == Some('<') => {
                let rest: String = letters.skip(1).collect();
                state.heredoc = Some(rest.trim_start_matches('-').trim().to_owned());
                return Ok(());
            }
            '{' | '[' | '(' => state.depth += 1,
            '}' | ']' | ')' => state.depth = state.depth.checked_sub(1).ok_or("a bracket closes nothing")?,
            _ => {}
        }
    }
    if in_text { Err("a text is not closed".to_owned()) } else { Ok(()) }
}

/// Where the equals sign of a line of key and value is.
fn equals(line: &str) -> Option<usize> {
    let place = line.find(" = ").or_else(|| line.find('='))?;
    let key = line.get(..place)?.trim();
    let plain = key.trim_matches('"');
    let is_key = !plain.is_empty() && plain.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter));
    is_key.then_some(place)
}

/// Lines one after another with keys of the same indentation get their equals signs below each other.
fn align(lines: &mut [String]) {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut start = 0;
    while start < lines.len() {
        let mut end = start;
        let level = lines.get(start).map(|line| indent(line)).unwrap_or_default();
        while lines.get(end).is_some_and(|line| equals(line).is_some() && indent(line) == level) {
            end += 1;
        }
        let Some(group) = lines.get_mut(start..end) else { return };
        let widest = group
            .iter()
            .filter_map(|line| equals(line).and_then(|place| line.get(..place)).map(|key| key.trim_end().len()))
            .max();
        for line in group.iter_mut() {
            let Some(place) = equals(line) else { continue };
            let (key, rest) = line.split_at(place);
            let value = rest.trim_start().trim_start_matches('=').trim();
            *line = format!("{:width$} = {value}", key.trim_end(), width = widest.unwrap_or_default());
        }
        start = end.max(start + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn indents_and_aligns_and_changes_nothing_else() {
        let text = "\n\npath \"a{b\" {\ncapabilities=[\"read\"] # { not\n   x_y    = 1\n\n\n  /* {\n } */\n list = [\n1,\n]\n}\nt = <<EOF\n  {{ \nEOF\n";
        let wanted = "path \"a{b\" {\n  capabilities = [\"read\"] # { not\n  x_y          = 1\n\n  /* {\n  } */\n  list = [\n    1,\n  ]\n}\nt = <<EOF\n  {{ \nEOF\n";
        assert_eq!(format(text).unwrap(), wanted);
        assert_eq!(format(wanted).unwrap(), wanted);
        for broken in ["path \"a\" {", "}", "a = \"b"] {
            assert!(format(broken).is_err(), "{broken}");
        }
    }
}
