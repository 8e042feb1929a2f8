//! Providers from environment variables.

use std::collections::BTreeMap;

use pawl_runtime::ports::Price;

use super::provider::{ApiKey, Provider, ProviderKind, Providers, StructuredOutput};

/// Begins every variable of this module.
const PREFIX: &str = "PAWL_MODEL_";

/// The provider that variables without a provider's name define.
const DEFAULT: &str = "default";

/// What can be set of a provider, as the end of the variable's name.
const SETTINGS: &[&str] =
    &["URL", "KEY", "NAME", "KIND", "OUTPUT", "USD_PER_MTOK_IN", "USD_PER_MTOK_OUT", "CONCURRENCY"];

/// Most calls at once that can be set.
const MOST_CALLS: usize = 10_000;

/// Some variables of model providers are bad; all of them are named, with no values of keys or URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct ProvidersError {
    /// One sentence for each bad variable, which begins with its name.
    pub problems: Vec<String>,
}

/// The name of the variable that holds a setting of a provider.
pub(super) fn variable(provider: &str, setting: &str) -> String {
    if provider == DEFAULT {
        format!("{PREFIX}{setting}")
    } else {
        format!("{PREFIX}{}_{setting}", provider.to_ascii_uppercase().replace('-', "_"))
    }
}

impl Providers {
    /// Reads the providers from variables, as of an environment; others than `PAWL_MODEL_…` are passed over,
    /// and an empty value is none.
    ///
    /// - `PAWL_MODEL_URL`, `PAWL_MODEL_KEY`, `PAWL_MODEL_NAME`: the provider `default` and its default model,
    ///   so that workflows name it `default` or, with another model of it, `default/<model>`.
    /// - `PAWL_MODEL_<PROVIDER>_URL`, `…_KEY`, `…_NAME`: a further provider.
    /// - `…_KIND`: `openai` (any compatible endpoint).
    /// - `…_OUTPUT`: how structured output is asked for: `json_schema` (unless said otherwise), `json_object`
    ///   or `prompt`.
    /// - `…_USD_PER_MTOK_IN` and `…_USD_PER_MTOK_OUT`, together: the price of a million tokens.
    /// - `…_CONCURRENCY`: most calls at once from this process; 16, or 1 for a provider on this machine.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ProvidersError> {
        let mut problems = Vec::new();
        let mut settings = BTreeMap::<String, BTreeMap<&'static str, String>>::new();
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let value = value.trim();
            match split(rest) {
                _ if value.is_empty() => {}
                Some((provider, setting)) => {
                    settings.entry(provider).or_default().insert(setting, value.to_owned());
                }
                None => problems.push(format!("{name}: expected a name that ends in one of {}", SETTINGS.join(", "))),
            }
        }
        let mut providers = Self::default();
        for (name, settings) in settings {
            let reader = Reader { provider: &name, settings, problems: &mut problems };
            if let Some(provider) = reader.read() {
                providers.insert(&name, provider);
            }
        }
        problems.sort();
        if problems.is_empty() { Ok(providers) } else { Err(ProvidersError { problems }) }
    }
}

/// `URL` is the default provider's, `MY_OWN_URL` that of `my_own`.
fn split(rest: &str) -> Option<(String, &'static str)> {
    SETTINGS.iter().find_map(|setting| {
        let provider = rest.strip_suffix(setting)?;
        if provider.is_empty() {
            return Some((DEFAULT.to_owned(), *setting));
        }
        let provider = provider.strip_suffix('_').filter(|provider| !provider.is_empty())?;
        Some((provider.to_ascii_lowercase(), *setting))
    })
}

/// Reads the settings of one provider and notes what is wrong with them.
struct Reader<'a> {
    provider: &'a str,
    settings: BTreeMap<&'static str, String>,
    problems: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn read(mut self) -> Option<Provider> {
        let kind = self.one_of("KIND", &[("openai", ProviderKind::OpenAi)]);
        let output = self.one_of(
            "OUTPUT",
            &[
                ("json_schema", StructuredOutput::JsonSchema),
                ("json_object", StructuredOutput::JsonObject),
                ("prompt", StructuredOutput::Prompt),
            ],
        );
        let api_key = self.setting("KEY").and_then(|key| ApiKey::new(key).map_err(|e| self.problem("KEY", &e)).ok());
        let price = self.price();
        let concurrency = self.concurrency();
        let Some(url) = self.setting("URL") else {
            self.problem("URL", &"expected a url, as other settings of the same provider are given");
            return None;
        };
        let provider = Provider::new(&url).map_err(|e| self.problem("URL", &e)).ok()?;
        Some(Provider {
            kind: kind.unwrap_or(provider.kind),
            structured_output: output.unwrap_or_default(),
            api_key,
            price,
            concurrency: concurrency.unwrap_or(provider.concurrency),
            default_model: self.setting("NAME"),
            ..provider
        })
    }

    fn price(&mut self) -> Option<Price> {
        let (input, output) = (self.number("USD_PER_MTOK_IN"), self.number("USD_PER_MTOK_OUT"));
        for (given, missing) in [("USD_PER_MTOK_IN", "USD_PER_MTOK_OUT"), ("USD_PER_MTOK_OUT", "USD_PER_MTOK_IN")] {
            if self.settings.contains_key(given) && !self.settings.contains_key(missing) {
                let given = variable(self.provider, given);
                self.problem(missing, &format_args!("expected a price, as {given} is given"));
            }
        }
        Some(Price { input: input?, output: output? })
    }

    fn concurrency(&mut self) -> Option<usize> {
        let text = self.setting("CONCURRENCY")?;
        let calls = text.parse().ok().filter(|calls| (1..=MOST_CALLS).contains(calls));
        if calls.is_none() {
            self.problem(
                "CONCURRENCY",
                &format_args!("expected a number of calls from 1 to {MOST_CALLS}, found `{text}`"),
            );
        }
        calls
    }

    fn number(&mut self, setting: &str) -> Option<f64> {
        let text = self.setting(setting)?;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Some(number),
            _ => {
                self.problem(setting, &format_args!("expected US dollars such as 0.15, found `{text}`"));
                None
            }
        }
    }

    fn one_of<T: Copy>(&mut self, setting: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.setting(setting)?;
        let choice = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if choice.is_none() {
            let names = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            self.problem(setting, &format_args!("expected one of {names}, found `{text}`"));
        }
        choice
    }

    fn setting(&self, setting: &str) -> Option<String> {
        self.settings.get(setting).cloned()
    }

    fn problem(&mut self, setting: &str, problem: &dyn std::fmt::Display) {
        self.problems.push(format!("{}: {problem}", variable(self.provider, setting)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Providers, ProvidersError> {
        Providers::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn three_variables_define_the_default_provider() {
        let providers = read(&[
            ("PATH", "/bin"),
            ("PAWL_MODEL_URL", "https://a.example/v1"),
            ("PAWL_MODEL_KEY", "s3cret"),
            ("PAWL_MODEL_NAME", "small"),
        ])
        .expect("well-formed");
        let default = providers.get("default").expect("defined");
        assert_eq!(default.default_model.as_deref(), Some("small"));
        assert_eq!(default.api_key, ApiKey::new("s3cret").ok());
        assert_eq!(providers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["default"]);
    }

    #[test]
    fn more_providers_have_their_name_in_the_variable() {
        let providers = read(&[
            ("PAWL_MODEL_MY_OWN_URL", "http://127.0.0.1:11434/v1"),
            ("PAWL_MODEL_MY_OWN_KIND", "openai"),
            ("PAWL_MODEL_MY_OWN_OUTPUT", "json_object"),
            ("PAWL_MODEL_MY_OWN_USD_PER_MTOK_IN", "0.15"),
            ("PAWL_MODEL_MY_OWN_USD_PER_MTOK_OUT", "0.6"),
            ("PAWL_MODEL_MY_OWN_CONCURRENCY", "4"),
        ])
        .expect("well-formed");
        let own = providers.get("my-own").expect("defined");
        assert_eq!(own.price, Some(Price { input: 0.15, output: 0.6 }));
        assert_eq!(own.structured_output, StructuredOutput::JsonObject);
        assert_eq!(own.concurrency, 4);
    }

    #[test]
    fn nothing_set_is_no_provider() {
        assert!(read(&[("PATH", "/bin"), ("PAWL_MODEL_KEY", " ")]).expect("well-formed").is_empty());
    }

    #[test]
    fn every_bad_variable_is_reported_and_no_secret_is() {
        let error = read(&[
            ("PAWL_MODEL_URL", "https://user:s3cret@a.example"),
            ("PAWL_MODEL_KEY", "s3cret with spaces"),
            ("PAWL_MODEL_KIND", "bedrock"),
            ("PAWL_MODEL_CONCURRENCY", "0"),
            ("PAWL_MODEL_USD_PER_MTOK_IN", "cheap"),
            ("PAWL_MODEL_OTHER_KEY", "s3cret"),
            ("PAWL_MODEL_TEMPERATURE", "1"),
        ])
        .expect_err("all are bad");
        insta::assert_snapshot!(error.problems.join("\n"), @"
        PAWL_MODEL_CONCURRENCY: expected a number of calls from 1 to 10000, found `0`
        PAWL_MODEL_KEY: expected a key of printable ascii characters without spaces
        PAWL_MODEL_KIND: expected one of openai, found `bedrock`
        PAWL_MODEL_OTHER_URL: expected a url, as other settings of the same provider are given
        PAWL_MODEL_TEMPERATURE: expected a name that ends in one of URL, KEY, NAME, KIND, OUTPUT, USD_PER_MTOK_IN, USD_PER_MTOK_OUT, CONCURRENCY
        PAWL_MODEL_URL: expected a url without user and password; the key is given apart from it
        PAWL_MODEL_USD_PER_MTOK_IN: expected US dollars such as 0.15, found `cheap`
        PAWL_MODEL_USD_PER_MTOK_OUT: expected a price, as PAWL_MODEL_USD_PER_MTOK_IN is given
        ");
    }
}
