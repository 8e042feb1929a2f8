//! Tables of Markdown files.

/// The rows of the first table under a heading, as the texts of their cells.
pub(crate) fn under(markdown: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = markdown.lines().skip_while(|line| *line != heading).skip(1);
    let table = lines.take_while(|line| !line.starts_with('#')).skip_while(|line| !line.starts_with('|'));
    let rows: Vec<_> = table.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "expected a table under the heading {heading:?}");
    rows
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect()
}

/// The names that a cell lists; a dash is none.
pub(crate) fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "–")
}
