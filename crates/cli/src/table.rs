//! Tables of text.

use crate::shown::shown;

/// Lays rows out in columns as wide as their widest cell; the last column is as long as it likes.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |cell: &String| shown(cell).into_owned();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let head = line(header.iter().map(|&name| name.to_uppercase()).collect());
    let rule = line(widths.iter().map(|width| "─".repeat(*width)).collect());
    let body: String = rows.iter().map(|row| line(row.clone())).collect();
    head + &rule + &body
}

/// Cuts a text to a number of characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let flat = shown(&text.replace(['\n', '\r', '\t'], " ")).into_owned();
    match flat.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["1".to_owned(), "triage".to_owned()], vec!["10".to_owned(), "x".to_owned()]];
        assert_eq!(render(&["seq", "step"], &rows), "SEQ  STEP\n───  ──────\n1    triage\n10   x\n");
    }

    #[test]
    fn long_text_is_cut_and_stays_on_its_line() {
        assert_eq!(cut("a\nbcdef", 4), "a bc…");
    }
}
