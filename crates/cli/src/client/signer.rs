//! Signatures of AWS, version 4, by which API Gateway knows who calls an API with IAM authorization.

use aws_credential_types::Credentials;
use jiff::Timestamp;
use pawl_aws::sigv4::{self, Scope};
use reqwest::Request;
use tokio::sync::OnceCell;

use super::credentials;

/// The service that API Gateway checks signatures for.
const SERVICE: &str = "execute-api";

/// Signs requests to one endpoint.
pub(super) struct Signer {
    region: Option<String>,
    identity: OnceCell<Identity>,
}

/// Who signs, for which region.
struct Identity {
    credentials: Credentials,
    region: String,
}

impl Signer {
    /// For the region that the endpoint names. Without one the environment or the profile must.
    #[expect(clippy::unnecessary_wraps, reason = "without the feature `aws` another one stands here, which fails")]
    pub(super) fn new(region: Option<String>) -> anyhow::Result<Self> {
        Ok(Self { region, identity: OnceCell::new() })
    }

    /// The region that the endpoint names.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Signs a request. The credentials are loaded for the first one.
    pub(super) async fn sign(&self, request: &mut Request, now: Timestamp) -> anyhow::Result<()> {
        let Identity { credentials, region } = self.identity.get_or_try_init(|| self.load(now)).await?;
        sign_request(request, credentials, region, now)
    }

    async fn load(&self, now: Timestamp) -> anyhow::Result<Identity> {
        let region = credentials::region(self.region()).await?;
        Ok(Identity { credentials: credentials::load(&region, now).await?, region })
    }
}

/// Puts the headers of a signature for API Gateway on a request.
fn sign_request(request: &mut Request, who: &Credentials, region: &str, now: Timestamp) -> anyhow::Result<()> {
    Ok(sigv4::sign_request(request, who, Scope { region, service: SERVICE }, now)?)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use reqwest::{Body, Method};

    use super::*;

    const HOST: &str = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com";

    /// The `authorization` of a request that is signed with the example keys of AWS's documentation.
    fn signed(request: &mut Request, session: Option<&str>) -> String {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let who = Credentials::new("AKIDEXAMPLE", secret, session.map(str::to_owned), None, "test");
        let now = "2026-11-21T08:00:00Z".parse().expect("it is a time");
        sign_request(request, &who, "eu-central-1", now).expect("the request can be signed");
        let value = &request.headers()["authorization"];
        assert!(value.is_sensitive());
        value.to_str().expect("it is visible").to_owned()
    }

    fn request(method: Method, path: &str) -> Request {
        Request::new(method, format!("{HOST}{path}").parse().expect("it is a URL"))
    }

    // Both signatures are those that botocore 1.43.106 computes for the same requests, keys and time.

    #[test]
    fn a_query_is_signed_as_botocore_signs_it() {
        let mut request = request(Method::GET, "/v1/executions");
        request.url_mut().query_pairs_mut().append_pair("cursor", "a+b/c=&%* ~é").append_pair("limit", "20");
        let scope = "AKIDEXAMPLE/20261121/eu-central-1/execute-api/aws4_request";
        let signature = "0d64ebd3a7486416aa7b55ad257ca6f618307b7dcdc51df8d068e3833dd461f3";
        assert_eq!(
            signed(&mut request, None),
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}")
        );
        assert_eq!(request.url().query(), Some("cursor=a%2Bb%2Fc%3D%26%25%2A%20~%C3%A9&limit=20"));
        assert_eq!(request.headers()["x-amz-date"], "20261121T080000Z");
    }

    #[test]
    fn body_headers_stage_and_session_are_signed_as_botocore_signs_them() {
        let mut request = request(Method::POST, "/prod/v1/workflows/tri%20age/start");
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k-1"));
        *request.body_mut() = Some(Body::from(r#"{"values":{"n":1}}"#));
        let headers = "SignedHeaders=content-type;host;idempotency-key;x-amz-date;x-amz-security-token";
        let signature = "a19416663295bf34896935da08ede3f0df3066b3750e47fecdb0cd9280622e58";
        let authorization = signed(&mut request, Some("session/token+with=odd"));
        assert!(authorization.ends_with(&format!("{headers}, Signature={signature}")), "{authorization}");
        assert_eq!(request.headers()["x-amz-security-token"], "session/token+with=odd");
    }

    #[test]
    fn another_body_has_another_signature() {
        let with = |body: &'static str| {
            let mut request = request(Method::POST, "/v1/installation/redrive");
            *request.body_mut() = Some(Body::from(body));
            signed(&mut request, None)
        };
        assert_ne!(with("{}"), with("{ }"));
        assert_eq!(with("{}"), with("{}"));
    }
}
