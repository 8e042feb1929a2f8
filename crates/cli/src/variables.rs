//! Variables: those of the environment, and those of a file such as `.env`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::coded::coded;

/// The file in an author's folder.
const FILE: &str = ".env";

/// Of a file, only what begins so is taken: a folder of workflows does not set the proxy or the credentials of a process.
const OURS: &str = "PAWL_";

/// Names and values; the environment goes before the file. They may be secrets, and are not shown.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").finish_non_exhaustive()
    }
}

impl Variables {
    /// Those of the environment, and of this file, or if none is named of the folder's own, if it has one.
    pub(crate) fn of(folder: Option<&Path>, file: Option<&Path>) -> anyhow::Result<Self> {
        let own = folder.unwrap_or(Path::new(".")).join(FILE);
        let file = file.or_else(|| own.is_file().then_some(&own));
        let file = file.map(read).transpose()?.unwrap_or_default();
        Ok(Self { environment: environment(), file })
    }

    /// Those of the environment, and of a file if one is named.
    pub(crate) fn named(file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { environment: environment(), file: file.map(read).transpose()?.unwrap_or_default() })
    }

    /// All of them.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        let Self { environment, mut file } = self;
        file.extend(environment);
        file.into_iter().collect()
    }

    /// A command line whose options take from the file what neither the command line nor the environment says.
    pub(crate) fn as_defaults(&self, command: clap::Command) -> clap::Command {
        let with_default = |arg: clap::Arg| {
            let name = arg.get_env().and_then(|name| name.to_str());
            match name.and_then(|name| self.file.get(name)) {
                Some(value) => arg.default_value(value.clone()),
                None => arg,
            }
        };
        command.mut_args(with_default).mut_subcommand("dev", |dev| dev.mut_args(with_default))
    }
}

/// The variables of the environment, as far as they are text: others are not ours.
fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The variables of a file that are ours. An error names the file and the line, and nothing of what stands there.
fn read(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| coded("bad_env_file", format!("{name}: the file of variables cannot be read: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    let all = parse(text).map_err(|Malformed| {
        let line = line_of_mistake(text);
        coded("bad_env_file", format!("{name}:{line}: expected NAME=value, with a value in quotes if it has blanks"))
    })?;
    Ok(all.into_iter().filter(|(name, _)| name.starts_with(OURS)).collect())
}

/// It is no list of variables. The parser's own error quotes the line.
struct Malformed;

fn parse(text: &str) -> Result<BTreeMap<String, String>, Malformed> {
    dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().map_err(|_| Malformed)
}

/// The number of the line in which the first value begins that cannot be read: all lines before are right by themselves.
fn line_of_mistake(text: &str) -> usize {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let right = ends.iter().rposition(|end| parse(&text[..*end]).is_ok());
    right.map_or(1, |at| at + 2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    /// What is read of a text, or what is said of it.
    fn told(text: &str) -> Result<BTreeMap<String, String>, String> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join(FILE);
        std::fs::write(&file, text).expect("the folder is writable");
        let root = format!("{}/", folder.path().display());
        read(&file).map_err(|error| error.to_string().replace(&root, ""))
    }

    #[test]
    fn values_are_plain_or_quoted_and_what_is_not_ours_is_left_alone() {
        let text = "\u{feff}# keys\nPAWL_SECRET_A=plain # why\n\nexport PAWL_SECRET_B='two $words'\n\
                    PAWL_SECRET_C=\"line\\nline\"\nPAWL_SECRET_D=\"two\nlines\"\nHTTPS_PROXY=http://evil.example\n";
        let found = told(text).expect("it is right");
        let found: Vec<_> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            found,
            ["PAWL_SECRET_A=plain", "PAWL_SECRET_B=two $words", "PAWL_SECRET_C=line\nline", "PAWL_SECRET_D=two\nlines"]
        );
    }

    #[test]
    fn a_mistake_is_told_by_its_line_and_not_quoted() {
        for (text, line) in [
            ("hunter2", 1),
            ("# a comment\nPAWL_A=1\nPAWL_B hunter2\nPAWL_C=2\n", 3),
            ("PAWL_A=\"two\nlines\"\n\nPAWL_B=hunter2 and more\n", 4),
            ("PAWL_A=1\nPAWL_B=it's hunter2\nPAWL_C=2\n", 2),
        ] {
            let error = told(text).expect_err("it is wrong");
            assert_eq!(
                error,
                format!(".env:{line}: expected NAME=value, with a value in quotes if it has blanks [bad_env_file]")
            );
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let variables = Variables {
            environment: of(&[("PAWL_SECRET_A", "environment")]),
            file: of(&[("PAWL_SECRET_A", "file"), ("PAWL_SECRET_B", "file")]),
        };
        assert_eq!(format!("{variables:?}"), "Variables { .. }");
        let pairs = variables.into_pairs();
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        assert_eq!(pairs, [("PAWL_SECRET_A", "environment"), ("PAWL_SECRET_B", "file")].map(own));
    }

    #[test]
    fn options_stand_in_the_file_too() {
        let file = [("PAWL_PORT", "7777"), ("PAWL_TOKEN", "t")];
        let file = file.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let command = Variables { environment: BTreeMap::new(), file }.as_defaults(Args::command());
        let matches = command.clone().get_matches_from(["pawl", "dev"]);
        let dev = matches.subcommand_matches("dev").expect("it is the command");
        assert_eq!(dev.get_one::<u16>("port"), Some(&7777));
        assert_eq!(dev.get_one::<String>("token").map(String::as_str), Some("t"));
        let matches = command.get_matches_from(["pawl", "dev", "--port", "1"]);
        let dev = matches.subcommand_matches("dev").expect("it is the command");
        assert_eq!(dev.get_one::<u16>("port"), Some(&1));
    }
}
