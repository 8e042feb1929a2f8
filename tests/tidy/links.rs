//! Links between documents lead somewhere.

use regex::Regex;

use crate::workspace::{files, is, read, root};

#[test]
fn every_link_of_a_document_leads_to_a_file_and_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("the expression is right");
    let mut lost = Vec::new();
    for file in files().iter().filter(|file| is(file, "md")) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for found in link.captures_iter(&without_code(&read(file))) {
            let (path, heading) = found[1].split_once('#').unwrap_or((&found[1], ""));
            if path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let target = if path.is_empty() { root().join(file) } else { root().join(folder).join(path) };
            let leads = target.exists() && (heading.is_empty() || has_heading(&target, heading));
            if !leads {
                lost.push(format!("{file}: {}", &found[1]));
            }
        }
    }
    assert!(lost.is_empty(), "links that lead nowhere: {lost:#?}");
}

/// A document without its blocks of code.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Whether a document has a heading, written as a link to it is.
fn has_heading(path: &std::path::Path, link: &str) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings.map(slug).any(|slug| slug == link)
}

fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-' || *letter == '_').collect()
}
