//! Who may come in.

use pawl_api::{ApiOptions, Authorizer, Identity, Role};
use serde_json::json;

use crate::shop::REPORT;
use crate::surface::{Surface, surface_with};

fn open_on_loopback() -> Surface {
    surface_with(ApiOptions::embedded(None)).workflow(REPORT)
}

#[test]
fn on_loopback_only_loopback_is_answered() {
    let surface = open_on_loopback();
    let list = || surface.get("/v1/workflows");
    list().send().expect(200);
    for host in ["localhost:7420", "127.0.0.1:7420", "[::1]:7420"] {
        list().header("host", host).send().expect(200);
        list().header("host", host).header("origin", &format!("http://{host}")).send().expect(200);
    }
    for host in ["evil.example", "evil.example:7420", "127.0.0.1.evil.example"] {
        list().header("host", host).send().problem(403, "foreign_origin");
    }
    for origin in ["https://evil.example", "null", "http://localhost:3000"] {
        list().header("host", "localhost:7420").header("origin", origin).send().problem(403, "foreign_origin");
    }
}

#[test]
fn webhooks_are_answered_under_any_name() {
    let surface = open_on_loopback();
    let hook =
        surface.post("/hooks/report/none").header("host", "tunnel.example").header("origin", "https://a.example");
    hook.send().problem(404, "unknown_hook");
}

#[test]
fn with_a_token_only_who_has_it_comes_in() {
    let surface = surface_with(ApiOptions::embedded(Some("s3cret"))).workflow(REPORT);
    let list = || surface.get("/v1/workflows");
    list().header("authorization", "Bearer s3cret").send().expect(200);
    for wrong in ["Bearer other", "Bearer s3cret2", "Basic s3cret", "Bearer"] {
        list().header("authorization", wrong).send().problem(401, "unauthorized");
    }
    let refused = list().send();
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    refused.problem(401, "unauthorized");
    surface.get("/openapi.json").send().problem(401, "unauthorized");
    surface.get("/v1/health").send().expect(200);
    assert_eq!(format!("{:?}", ApiOptions::embedded(Some("s3cret")).authorizer), "Token(…)");
}

#[test]
fn behind_an_authorizer_the_role_decides() {
    let surface =
        surface_with(ApiOptions { authorizer: Authorizer::Upstream, loopback_only: false, ..ApiOptions::default() });
    surface.get("/v1/workflows").send().problem(401, "unauthorized");
    let named = |role| Identity { name: Some("ada@example.com".to_owned()), role: Some(role) };
    let save = |role| surface.post("/v1/workflows").text(REPORT).identity(named(role)).send();
    let start = |role| surface.post("/v1/workflows/report/start").json(&json!({})).identity(named(role)).send();
    let kill = |role| surface.post("/v1/installation/kill").identity(named(role)).send();

    save(Role::Operator).problem(403, "forbidden");
    save(Role::Editor).expect(201);
    start(Role::Viewer).problem(403, "forbidden");
    start(Role::Operator).expect(202);
    kill(Role::Editor).problem(403, "forbidden");
    kill(Role::Admin).expect(200);
    surface.get("/v1/workflows").identity(named(Role::Viewer)).send().expect(200);
}

#[test]
fn who_is_known_acts_under_their_own_name() {
    let surface =
        surface_with(ApiOptions { authorizer: Authorizer::Upstream, loopback_only: false, ..ApiOptions::default() });
    let ada = Identity { name: Some("ada@example.com".to_owned()), role: Some(Role::Admin) };
    let kill = surface.post("/v1/installation/kill").json(&json!({"actor": "eve@example.com"})).identity(ada.clone());
    let killed = kill.header("x-pawl-actor", "eve@example.com").send().expect(200);
    assert_eq!(killed["killed"]["actor"], "ada@example.com");

    surface.post("/v1/installation/lift").identity(ada.clone()).send().expect(202);
    let unnamed = Identity { name: None, ..ada };
    let again =
        surface.post("/v1/installation/kill").identity(unnamed.clone()).header("x-pawl-actor", "eve@example.com");
    assert_eq!(again.send().expect(200)["killed"]["actor"], "eve@example.com");
    let blank = surface.post("/v1/installation/kill").identity(unnamed).header("x-pawl-actor", " ");
    blank.send().problem(400, "bad_header");
}
