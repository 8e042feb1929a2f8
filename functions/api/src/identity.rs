//! Who sends a request, as API Gateway's authorizer knows them.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription};
use lambda_http::request::RequestContext;
use pawl_api::{Identity, Role};
use pawl_lambda::Failure;

/// The claim that names a role.
const ROLE: &str = "pawl_role";
/// The claim of Amazon Cognito with the groups of a user.
const GROUPS: &str = "cognito:groups";
/// What a group begins with that stands for a role: `pawl-operator`.
const GROUP: &str = "pawl-";
/// What a scope begins with that stands for a role: `pawl/operator`.
const SCOPE: &str = "pawl/";

/// How API Gateway finds out who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// By a signature of IAM. Whoever comes this far may do anything: which routes a principal may invoke is said by its
    /// policy (`execute-api:Invoke` on method and path), where AWS accounts say everything else, and the request does
    /// not tell us more of it than its ARN. The ARN is the actor in history.
    Iam,
    /// By a token of an `OpenID` provider. The actor is its `email`, else its `sub`. The role is that of the claim
    /// `pawl_role`; without that claim, the highest of the groups `pawl-<role>` in `cognito:groups` and of the scopes
    /// `pawl/<role>`. A token that says nothing of a role, or names one that there is not, may do nothing: that somebody
    /// has an account with the provider does not mean that they have one here.
    Jwt,
}

impl Gateway {
    /// Reads the setting.
    pub fn parse(word: &str) -> Result<Self, Failure> {
        match word {
            "iam" => Ok(Self::Iam),
            "jwt" => Ok(Self::Jwt),
            _ => Err(Failure::invalid("PAWL_AUTHORIZER", &format!("expected iam or jwt, found {word:?}"))),
        }
    }

    /// Who sends a request; `None` if the authorizer named nobody, or another kind of authorizer did.
    pub fn identity(self, context: &RequestContext) -> Option<Identity> {
        let RequestContext::ApiGatewayV2(context) = context else { return None };
        let ApiGatewayRequestAuthorizer { jwt, iam, .. } = context.authorizer.as_ref()?;
        match self {
            Self::Iam => {
                let name = iam.as_ref()?.user_arn.clone().filter(|arn| !arn.is_empty())?;
                Some(Identity { name: Some(name), role: Some(Role::Admin) })
            }
            Self::Jwt => {
                let jwt = jwt.as_ref()?;
                let name = ["email", "sub"].iter().find_map(|claim| jwt.claims.get(*claim));
                Some(Identity { name: name.cloned(), role: role(jwt) })
            }
        }
    }
}

fn role(jwt: &ApiGatewayRequestAuthorizerJwtDescription) -> Option<Role> {
    if let Some(named) = jwt.claims.get(ROLE) {
        return Role::of(named);
    }
    // API Gateway writes a list as text: `[pawl-operator others]`.
    let groups = jwt.claims.get(GROUPS).map(String::as_str).unwrap_or_default();
    let groups = groups.trim_matches(['[', ']']).split([' ', ',']).filter_map(|group| group.strip_prefix(GROUP));
    // The claim, for the authorizer lists scopes only where a route asks for one.
    let claim = jwt.claims.get("scope").map(String::as_str).unwrap_or_default();
    let listed = jwt.scopes.iter().flatten().map(String::as_str);
    let scopes = claim.split(' ').chain(listed).filter_map(|scope| scope.strip_prefix(SCOPE));
    groups.chain(scopes).filter_map(Role::of).max()
}
