//! Gathers the pages of `docs/errors`, so that the address in a problem's `type` leads to its page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../../docs/errors").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut list = String::from("&[\n");
    for page in &pages {
        let code = page.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        writeln!(list, "({code:?}, include_str!({:?})),", page.display().to_string()).expect("a string takes all");
    }
    list.push(']');
    fs::write(Path::new(&variable("OUT_DIR")).join("pages.rs"), list)
}

fn variable(name: &str) -> String {
    env::var(name).expect("cargo sets the variables of build scripts")
}
