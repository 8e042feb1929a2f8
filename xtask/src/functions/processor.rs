//! Processors of functions, and whether a program runs on them in Lambda's runtime `provided.al2023`.

use std::fmt;

use anyhow::{Context, bail, ensure};

use crate::functions::elf;

/// glibc of Amazon Linux 2023.
const GLIBC_MOST: Glibc = Glibc { major: 2, minor: 34 };

/// A processor, by the name that Lambda gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Processor {
    /// `AArch64`.
    Arm64,
    /// x86-64.
    #[value(name = "x86_64")]
    X86_64,
}

/// A version of glibc, by which a program names the functions that it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc {
    major: u16,
    minor: u16,
}

impl fmt::Display for Glibc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GLIBC_{}.{}", self.major, self.minor)
    }
}

impl Processor {
    /// The value of the template's parameter `Architecture`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The option by which cargo-lambda builds for it. Without one it builds for the machine that it runs on.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Arm64 => "--arm64",
            Self::X86_64 => "--x86-64",
        }
    }

    /// The newest glibc that a program needs, none if it needs no glibc at all.
    ///
    /// # Errors
    ///
    /// If the program would not start: it is no ELF file, for another processor, or needs what Lambda's glibc has not.
    pub(crate) fn check(self, program: &[u8]) -> anyhow::Result<Option<Glibc>> {
        let needs = elf::needs(program)?;
        let built_for = match needs.machine {
            elf::AARCH64 => Some(Self::Arm64),
            elf::X86_64 => Some(Self::X86_64),
            _ => None,
        };
        let Some(built_for) = built_for else { bail!("it is for the processor {} of ELF", needs.machine) };
        ensure!(
            built_for == self,
            "it is for {}, and expected is {}: build and deploy with the same Architecture",
            built_for.name(),
            self.name()
        );
        let names = needs.versions.iter().filter_map(|name| name.strip_prefix("GLIBC_"));
        let versions = names.map(version).collect::<anyhow::Result<Vec<_>>>()?;
        let newest = versions.into_iter().max();
        if let Some(newest) = newest {
            ensure!(
                newest <= GLIBC_MOST,
                "it needs {newest}, and Lambda has {GLIBC_MOST}: build it with the cross compiler, without \
                 CARGO_LAMBDA_COMPILER=cargo"
            );
        }
        Ok(newest)
    }
}

/// `2.34`, or `2.2.5`, in which the last part says nothing that matters here.
///
/// # Errors
///
/// If it is no version: `PRIVATE` is what glibc keeps for itself, and `ABI_…` a property of newer ones.
fn version(text: &str) -> anyhow::Result<Glibc> {
    let mut parts = text.split('.').map(str::parse::<u16>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return Err(anyhow::anyhow!("it is no version")).with_context(|| format!("it needs GLIBC_{text}"));
    };
    Ok(Glibc { major, minor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::elf::crafted;

    fn checked(machine: u16, versions: &[&str]) -> String {
        match Processor::Arm64.check(&crafted(machine, versions)) {
            Ok(newest) => newest.map_or_else(|| "none".to_owned(), |newest| newest.to_string()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_program_may_need_what_lambda_has() {
        assert_eq!(checked(elf::AARCH64, &["GLIBC_2.17", "GLIBC_2.34", "GCC_4.2.0", "GLIBC_2.2.5"]), "GLIBC_2.34");
        assert_eq!(checked(elf::AARCH64, &["GCC_3.0"]), "none");
        assert_eq!(checked(elf::AARCH64, &[]), "none");
    }

    #[test]
    fn a_program_that_needs_a_newer_glibc_is_refused() {
        let refused = "it needs GLIBC_2.39, and Lambda has GLIBC_2.34: build it with the cross compiler, without \
                       CARGO_LAMBDA_COMPILER=cargo";
        assert_eq!(checked(elf::AARCH64, &["GLIBC_2.17", "GLIBC_2.39", "GLIBC_2.4"]), refused);
        assert!(checked(elf::AARCH64, &["GLIBC_2.35"]).starts_with("it needs GLIBC_2.35,"));
        assert!(checked(elf::AARCH64, &["GLIBC_3.0"]).starts_with("it needs GLIBC_3.0,"));
        // A linker's mark of relocations that glibc understands since 2.36.
        assert_eq!(
            checked(elf::AARCH64, &["GLIBC_2.17", "GLIBC_ABI_DT_RELR"]),
            "it needs GLIBC_ABI_DT_RELR: it is no version"
        );
        assert_eq!(checked(elf::AARCH64, &["GLIBC_PRIVATE"]), "it needs GLIBC_PRIVATE: it is no version");
    }

    #[test]
    fn a_program_for_another_processor_is_refused() {
        let refused = "it is for x86_64, and expected is arm64: build and deploy with the same Architecture";
        assert_eq!(checked(elf::X86_64, &["GLIBC_2.17"]), refused);
        assert_eq!(checked(243, &[]), "it is for the processor 243 of ELF");
    }

    /// This test's own program, which a real linker made.
    #[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
    #[test]
    fn a_real_program_is_read() {
        let program = std::fs::read(std::env::current_exe().expect("it has a path")).expect("it can be read");
        let needs = elf::needs(&program).expect("it is an ELF file");
        let (own, other) = match std::env::consts::ARCH {
            "aarch64" => (Processor::Arm64, Processor::X86_64),
            _ => (Processor::X86_64, Processor::Arm64),
        };
        assert!(other.check(&program).is_err_and(|error| error.to_string().starts_with("it is for ")));
        let named: Vec<_> = needs.versions.iter().filter_map(|name| name.strip_prefix("GLIBC_")).collect();
        assert!(!named.is_empty(), "it is linked with glibc: {:?}", needs.versions);
        let newest = named.iter().map(|name| version(name).expect("they are versions")).max();
        // On a machine with a newer glibc than Lambda's, the check is what refuses this program.
        match own.check(&program) {
            Ok(found) => assert_eq!(found, newest),
            Err(error) => assert!(newest > Some(GLIBC_MOST), "{error:#}"),
        }
    }
}
