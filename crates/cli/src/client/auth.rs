//! How requests prove who sends them: by a bearer token, or on API Gateway by a signature.

use anyhow::{Context, bail};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Url};

use super::refusal::Proof;
use super::signer::Signer;
use crate::args::AuthMode;

/// The proof that each request of a client carries.
pub(super) enum Auth {
    /// None.
    Nothing,
    /// A bearer token.
    Token(HeaderValue),
    /// A signature with AWS credentials, which are loaded when the first request is sent.
    Signature(Signer),
}

impl Auth {
    /// Chooses for an endpoint. Unless a mode is asked for, a token is sent if there is one, and an API of API Gateway
    /// is met with a signature.
    pub(super) fn choose(asked: Option<AuthMode>, token: Option<&str>, endpoint: &Url) -> anyhow::Result<Self> {
        let mode = asked.unwrap_or(match token {
            Some(_) => AuthMode::Token,
            None if is_api_gateway(endpoint) => AuthMode::SigV4,
            None => AuthMode::None,
        });
        match (mode, token) {
            (AuthMode::None, _) => Ok(Self::Nothing),
            (AuthMode::SigV4, _) => Signer::new(region(endpoint)).map(Self::Signature),
            (AuthMode::Token, None) => bail!("--auth token: expected a token in --token or PAWL_TOKEN, found none"),
            (AuthMode::Token, Some(token)) => {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let mut value = value.context("--token: expected visible ASCII characters")?;
                value.set_sensitive(true);
                Ok(Self::Token(value))
            }
        }
    }

    /// What kind of proof this is.
    pub(super) fn proof(&self) -> Proof {
        match self {
            Self::Nothing => Proof::Nothing,
            Self::Token(_) => Proof::Token,
            Self::Signature(_) => Proof::Signature,
        }
    }

    /// Puts the proof on a request that is sent now.
    pub(super) async fn apply(&self, request: &mut Request, now: Timestamp) -> anyhow::Result<()> {
        match self {
            Self::Nothing => {}
            Self::Token(value) => {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
            }
            Self::Signature(signer) => signer.sign(request, now).await?,
        }
        Ok(())
    }
}

/// Whether this is the address that API Gateway gives an API, `https://<id>.execute-api.<region>.amazonaws.com`.
fn is_api_gateway(endpoint: &Url) -> bool {
    let host = endpoint.host_str().unwrap_or_default();
    let is_amazon = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| host.ends_with(end));
    endpoint.scheme() == "https" && is_amazon && region(endpoint).is_some()
}

/// The region in the address of an API of API Gateway.
fn region(endpoint: &Url) -> Option<String> {
    let mut labels = endpoint.host_str()?.split('.').skip(1);
    (labels.next()? == "execute-api").then(|| labels.next().map(str::to_owned))?
}

#[cfg(feature = "aws")]
#[cfg(test)]
mod tests {
    use super::*;

    /// How requests to an endpoint are authorized.
    fn chosen(asked: Option<AuthMode>, token: Option<&str>, endpoint: &str) -> String {
        let endpoint = Url::parse(endpoint).expect("the test's endpoint is a URL");
        match Auth::choose(asked, token, &endpoint) {
            Ok(Auth::Nothing) => "nothing".to_owned(),
            Ok(Auth::Token(token)) => token.to_str().expect("the test's token is visible").to_owned(),
            Ok(Auth::Signature(signer)) => format!("signature for {:?}", signer.region()),
            Err(error) => error.to_string(),
        }
    }

    const API: &str = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod";

    #[test]
    fn api_gateway_is_met_with_a_signature_for_its_region() {
        assert_eq!(chosen(None, None, API), "signature for Some(\"eu-central-1\")");
        let china = "https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn";
        assert_eq!(chosen(None, None, china), "signature for Some(\"cn-north-1\")");
    }

    #[test]
    fn a_token_goes_before_a_signature() {
        assert_eq!(chosen(None, Some("t"), API), "Bearer t");
        assert_eq!(chosen(Some(AuthMode::SigV4), Some("t"), API), "signature for Some(\"eu-central-1\")");
    }

    #[test]
    fn nothing_is_signed_for_others_unless_it_is_asked_for() {
        let others = [
            "http://127.0.0.1:7420",
            "https://pawl.example.com",
            "http://a1b2c3.execute-api.eu-central-1.amazonaws.com",
            "https://a1b2c3.execute-api.eu-central-1.amazonaws.com.example.com",
            "https://execute-api.eu-central-1.amazonaws.com",
        ];
        for other in others {
            assert_eq!(chosen(None, None, other), "nothing", "{other}");
        }
        assert_eq!(chosen(Some(AuthMode::SigV4), None, "https://pawl.example.com"), "signature for None");
    }

    #[test]
    fn what_is_asked_for_is_done() {
        assert_eq!(chosen(Some(AuthMode::None), Some("t"), API), "nothing");
        assert_eq!(chosen(Some(AuthMode::Token), Some("t"), "http://127.0.0.1:7420"), "Bearer t");
        let missing = "--auth token: expected a token in --token or PAWL_TOKEN, found none";
        assert_eq!(chosen(Some(AuthMode::Token), None, API), missing);
    }
}
