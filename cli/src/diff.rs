//! Two texts side by side, for people.

use crate::sanitise;
use similar::{ChangeTag, TextDiff};

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Lines behind the first difference that are compared.
const WINDOW: usize = 2000;
/// Characters of a line that are shown.
const WIDTH: usize = 160;

/// A unified diff that starts at the first difference and is at most `limit` lines long.
pub(crate) fn unified(old: &str, new: &str, limit: usize) -> String {
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let start = same.saturating_sub(CONTEXT);
    let window = |text| str::lines(text).skip(start).take(same - start + WINDOW).collect::<Vec<_>>();
    let (old_lines, new_lines) = (window(old), window(new));
    let diff = TextDiff::from_slices(&old_lines, &new_lines);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        if let (Some(first), Some(last)) = (group.first(), group.last()) {
            let (old, new) = (
                first.old_range().start..last.old_range().end,
                first.new_range().start..last.new_range().end,
            );
            let (at_old, at_new) = (start + old.start + 1, start + new.start + 1);
            lines.push(format!("@@ -{at_old},{} +{at_new},{} @@", old.len(), new.len()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{sign}{}", shown(change.value())));
        }
    }
    if lines.is_empty() && old != new {
        lines.push("(the line ends differ)".to_owned());
    }
    let left = lines.len().saturating_sub(limit);
    lines.truncate(limit);
    if left > 0 {
        lines.push(format!("({left} more lines)"));
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn shown(line: &str) -> String {
    let clipped: String = line.chars().take(WIDTH).collect();
    let more = if clipped.len() < line.len() { "…" } else { "" };
    format!("{}{more}", sanitise::line(&clipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_in_its_context() {
        let old: String = (1..=20).map(|number| format!("line {number}\n")).collect();
        let shown = unified(&old, &old.replace("line 10\n", "line ten\n"), 40);
        let expected = "  @@ -7,7 +7,7 @@\n   line 7\n   line 8\n   line 9\n  -line 10\n  +line ten\n   line 11\n   line 12\n   line 13\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        assert_eq!(unified("a\r\n", "a\n", 5), "  (the line ends differ)\n");
        assert!(unified("", &"x\n".repeat(100), 5).ends_with("  (96 more lines)\n"));
        assert!(unified("\u{1b}[2J\n", "", 5).contains("-?[2J"));
    }
}
