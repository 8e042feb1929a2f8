//! What a program for Linux needs of the system that starts it, read from its ELF file: 64 bits, little-endian.
//!
//! The layout is that of the ELF specification and of `.gnu.version_r` in the Linux Standard Base.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};

/// `AArch64`, as ELF calls it.
pub(crate) const AARCH64: u16 = 183;
/// x86-64, as ELF calls it.
pub(crate) const X86_64: u16 = 62;

/// Type of the section that lists the versions of symbols that are needed, by library.
const SHT_GNU_VERNEED: u32 = 0x6fff_fffe;

/// What a program needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Number of the processor.
    pub(crate) machine: u16,
    /// Versions of libraries' symbols, such as `GLIBC_2.17`.
    pub(crate) versions: BTreeSet<String>,
}

/// Reads what a program needs.
///
/// # Errors
///
/// If it is no ELF file of 64 bits and little-endian, has no sections, or is cut.
pub(crate) fn needs(program: &[u8]) -> anyhow::Result<Needs> {
    let file = File(program);
    ensure!(program.starts_with(b"\x7fELF\x02\x01"), "it is no ELF file of 64 bits, little-endian");
    let (table, size, count) = (file.offset(40)?, usize::from(file.u16(58)?), usize::from(file.u16(60)?));
    ensure!(table > 0 && count > 0, "it has no sections, which name what it needs");
    let section = |index: usize| sum(table, index.checked_mul(size).context("the file is cut")?);
    let mut versions = BTreeSet::new();
    for index in 0..count {
        let header = section(index)?;
        if file.u32(sum(header, 4)?)? == SHT_GNU_VERNEED {
            let strings = section(usize::try_from(file.u32(sum(header, 40)?)?)?)?;
            let strings = file.offset(sum(strings, 24)?)?;
            let entries = file.u32(sum(header, 44)?)?;
            file.versions(file.offset(sum(header, 24)?)?, entries, strings, &mut versions)?;
        }
    }
    Ok(Needs { machine: file.u16(18)?, versions })
}

struct File<'a>(&'a [u8]);

impl File<'_> {
    /// Walks the libraries, and the versions of each. Both are lists of which each entry says where the next begins.
    fn versions(&self, at: usize, count: u32, strings: usize, found: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut library = at;
        for _ in 0..count {
            let mut version = sum(library, self.distance(sum(library, 8)?)?)?;
            for _ in 0..self.u16(sum(library, 2)?)? {
                let name = self.distance(sum(version, 8)?)?;
                found.insert(self.text(sum(strings, name)?)?);
                version = sum(version, self.distance(sum(version, 12)?)?)?;
            }
            library = sum(library, self.distance(sum(library, 12)?)?)?;
        }
        Ok(())
    }

    fn bytes<const N: usize>(&self, at: usize) -> anyhow::Result<[u8; N]> {
        let bytes = self.0.get(at..sum(at, N)?).context("the file is cut")?;
        Ok(bytes.try_into()?)
    }

    fn u16(&self, at: usize) -> anyhow::Result<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> anyhow::Result<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    fn distance(&self, at: usize) -> anyhow::Result<usize> {
        Ok(usize::try_from(self.u32(at)?)?)
    }

    fn offset(&self, at: usize) -> anyhow::Result<usize> {
        let offset = self.bytes(at).map(u64::from_le_bytes)?;
        usize::try_from(offset).context("the file is cut")
    }

    /// A text that ends in a zero.
    fn text(&self, at: usize) -> anyhow::Result<String> {
        let rest = self.0.get(at..).context("the file is cut")?;
        let end = rest.iter().position(|byte| *byte == 0).context("the file is cut")?;
        Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
    }
}

fn sum(at: usize, distance: usize) -> anyhow::Result<usize> {
    at.checked_add(distance).context("the file is cut")
}

/// A file of a header, a section of needed versions of one library, and the section of their names; nothing to run.
#[cfg(test)]
pub(crate) fn crafted(machine: u16, versions: &[&str]) -> Vec<u8> {
    const HEADER: usize = 64;
    let short = |number: usize| u16::try_from(number).expect("it is small").to_le_bytes();
    let word = |number: usize| u32::try_from(number).expect("it is small").to_le_bytes();
    let long = |number: usize| u64::try_from(number).expect("it is small").to_le_bytes();
    let mut strings = vec![0];
    // One entry for the library: revision, count of versions, name, where they begin, where the next library begins.
    let mut needed = [&short(1)[..], &short(versions.len()), &word(0), &word(16), &word(0)].concat();
    for (index, name) in versions.iter().enumerate() {
        let next = if index + 1 == versions.len() { 0 } else { 16 };
        // Hash, flags, index, name, where the next begins.
        needed.extend([&word(0)[..], &short(0), &short(0), &word(strings.len()), &word(next)].concat());
        strings.extend(name.bytes().chain([0]));
    }
    let (needed_at, strings_at) = (HEADER, HEADER + needed.len());
    let table_at = strings_at + strings.len();
    let section = |kind: u32, at: usize, size: usize, link: usize, info: usize| {
        let flags_and_address = [&word(0)[..], &kind.to_le_bytes(), &long(0), &long(0)].concat();
        [&flags_and_address[..], &long(at), &long(size), &word(link), &word(info), &long(0), &long(0)].concat()
    };
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend(
        [&short(3)[..], &machine.to_le_bytes(), &word(1), &long(0), &long(0), &long(table_at), &word(0)].concat(),
    );
    header.extend([&short(HEADER)[..], &short(0), &short(0), &short(64), &short(3), &short(0)].concat());
    let sections = [
        section(0, 0, 0, 0, 0),
        section(SHT_GNU_VERNEED, needed_at, needed.len(), 2, 1),
        section(3, strings_at, strings.len(), 0, 0),
    ];
    [header, needed, strings, sections.concat()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_full() {
        let names = ["GLIBC_2.17", "GCC_3.0", "GLIBC_2.2.5"];
        let found = needs(&crafted(AARCH64, &names)).expect("it is well formed");
        assert_eq!(found, Needs { machine: AARCH64, versions: names.map(str::to_owned).into() });
    }

    #[test]
    fn what_is_cut_is_refused_and_never_read_as_less() {
        let whole = crafted(X86_64, &["GLIBC_2.17", "GLIBC_2.39"]);
        for end in 0..whole.len() {
            // The last section's header is read up to where its names begin.
            let read = needs(&whole[..end]);
            assert!(read.is_err() || read.is_ok_and(|read| read.versions.len() == 2), "cut after {end} bytes");
        }
    }

    #[test]
    fn offsets_that_lead_out_of_the_file_are_refused() {
        for at in [40, 64 + 8, 64 + 16 + 8] {
            let mut file = crafted(X86_64, &["GLIBC_2.17"]);
            file[at..at + 4].fill(0xff);
            assert!(needs(&file).is_err(), "at {at}");
        }
        assert_eq!(needs(b"#!/bin/sh").expect_err("no ELF").to_string(), "it is no ELF file of 64 bits, little-endian");
    }
}
