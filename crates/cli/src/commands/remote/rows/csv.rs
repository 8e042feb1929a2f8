//! CSV as RFC 4180 says: fields between commas, in quotes if they have a comma, a quote or a line end. Lines may end in any of
//! the usual ways.
//!
//! The crate `csv` reads `"a"b` as `ab`, and takes all that follows a quote that is not closed as one cell. An import must refuse
//! such a file and name the line, because nobody would see the wrong values.

/// A row, with the number of its first line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CsvRow {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// Reads the rows of a text; lines without anything are left out.
pub(super) fn read(text: &str) -> Result<Vec<CsvRow>, String> {
    let mut reader = Reader { chars: text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable(), line: 1 };
    let mut rows = Vec::new();
    while let Some(first) = reader.chars.peek() {
        let (line, is_empty) = (reader.line, matches!(first, '\n' | '\r'));
        let cells = reader.row().map_err(|error| format!("line {line}: {error}"))?;
        if !is_empty {
            rows.push(CsvRow { line, cells });
        }
    }
    Ok(rows)
}

/// Writes a row, with its line end.
pub(super) fn write<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| {
        let is_plain = !cell.contains([',', '"', '\n', '\r', '\u{feff}']) && cell.trim() == cell;
        if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
    };
    let cells: Vec<_> = cells.into_iter().map(quoted).collect();
    // A row of one empty cell would be an empty line.
    if cells == [""] { "\"\"\n".to_owned() } else { cells.join(",") + "\n" }
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Vec<String>, String> {
        let mut cells = Vec::new();
        loop {
            let cell = if self.chars.next_if_eq(&'"').is_some() { self.quoted()? } else { self.plain()? };
            cells.push(cell);
            match self.chars.next() {
                Some(',') => {}
                Some('\r') => {
                    self.chars.next_if_eq(&'\n');
                    self.line += 1;
                    return Ok(cells);
                }
                Some('\n') => {
                    self.line += 1;
                    return Ok(cells);
                }
                None => return Ok(cells),
                Some(other) => return Err(format!("expected a comma or a line end behind a quote, found {other:?}")),
            }
        }
    }

    fn plain(&mut self) -> Result<String, String> {
        let mut cell = String::new();
        while let Some(next) = self.chars.next_if(|next| !matches!(next, ',' | '\n' | '\r')) {
            if next == '"' {
                return Err("expected a cell with a quote to stand in quotes, found one that does not".to_owned());
            }
            cell.push(next);
        }
        Ok(cell)
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut cell = String::new();
        loop {
            match self.chars.next() {
                Some('"') if self.chars.next_if_eq(&'"').is_some() => cell.push('"'),
                Some('"') => return Ok(cell),
                Some(next) => {
                    if next == '\n' {
                        self.line += 1;
                    }
                    cell.push(next);
                }
                None => return Err("expected a quote at the end of a cell, found the end of the file".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        read(text).expect("it is CSV").into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn rows_are_read_as_the_standard_says() {
        assert_eq!(cells("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n"), [["a", "b"], ["1", "x, \"y\"\nz"]]);
        assert_eq!(cells("\u{feff}a\n\n,\n"), [vec!["a"], vec!["", ""]]);
        assert_eq!(
            read("a\n\"b\nc\"\nd").expect("it is CSV").iter().map(|row| row.line).collect::<Vec<_>>(),
            [1, 2, 4]
        );
        assert_eq!(read(""), Ok(Vec::new()));
        for (text, expected) in [
            ("a\n\"b", "line 2: expected a quote at the end"),
            ("\"a\"b", "line 1: expected a comma or a line end behind a quote, found 'b'"),
            ("a\"b", "line 1: expected a cell with a quote to stand in quotes"),
        ] {
            let error = read(text).expect_err("it is no CSV");
            assert!(error.starts_with(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec(".{0,6}", 1..4), 0..4)) {
            let text: String = rows.iter().map(|row| write(row.iter().map(String::as_str))).collect();
            prop_assert_eq!(cells(&text), rows);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a,\"\n\r ]{0,40}") {
            let _ = read(&text);
        }
    }
}
