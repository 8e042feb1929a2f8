//! Macros by which sources read the same, whether their descriptions are generated or not.
//!
//! A crate with the feature `describe` derives JSON Schema and OpenAPI by schemars and utoipa. Without the feature it imports
//! derives of the same names from here, which expand to nothing: a program serves the generated files of `docs/`, and needs
//! no generator.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Expands to nothing, in the place of `schemars::JsonSchema`.
#[proc_macro_derive(JsonSchema, attributes(schemars))]
pub fn json_schema(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Expands to nothing, in the place of `utoipa::ToSchema`.
#[proc_macro_derive(ToSchema, attributes(schema))]
pub fn to_schema(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Expands to nothing, in the place of `utoipa::IntoParams`.
#[proc_macro_derive(IntoParams, attributes(into_params, param))]
pub fn into_params(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Declares a handler of the API: `#[operation(get, path = "/v1/workflows", …)]`, with the rest as `utoipa::path` has it.
///
/// The type `__path_<handler>` becomes `crate::surface::Routed`, by its method and path. With the feature `describe` of the
/// crate, `utoipa::path` makes that type, and its description.
#[proc_macro_attribute]
pub fn operation(description: TokenStream, handler: TokenStream) -> TokenStream {
    let route = Route::of(&description, &handler);
    let Some(Route { visibility, name, method, path }) = route else {
        return code(r#"compile_error!("expected #[operation(<method>, path = \"…\", …)] and a function");"#);
    };
    let mut expanded = code(&format!(
        r#"
        #[cfg(not(feature = "describe"))]
        #[expect(non_camel_case_types, reason = "it has the name that utoipa gives")]
        {visibility} struct __path_{name};

        impl crate::surface::Routed for __path_{name} {{
            const METHOD: axum::routing::MethodFilter = axum::routing::MethodFilter::{method};
            const PATH: &'static str = {path};
        }}
        "#
    ));
    let mut attribute = code("cfg_attr");
    let mut described = code(r#"feature = "describe", utoipa::path"#);
    described.extend([in_group(Delimiter::Parenthesis, description)]);
    attribute.extend([in_group(Delimiter::Parenthesis, described)]);
    expanded.extend(code("#"));
    expanded.extend([in_group(Delimiter::Bracket, attribute)]);
    expanded.extend(handler);
    expanded
}

/// What a handler and its description say of its route, as source text.
struct Route {
    visibility: String,
    name: String,
    method: String,
    path: String,
}

impl Route {
    fn of(description: &TokenStream, handler: &TokenStream) -> Option<Self> {
        let TokenTree::Ident(method) = description.clone().into_iter().next()? else { return None };
        let mut keys = description.clone().into_iter().skip_while(|token| token.to_string() != "path");
        // In a macro by example the path stands in a group without delimiters.
        let path = keys.nth(2)?.to_string();
        let is_word =
            |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident.to_string() == word);
        let tokens: Vec<TokenTree> = handler.clone().into_iter().collect();
        let function = tokens.iter().position(|token| is_word(token, "fn"))?;
        let visible = tokens.iter().position(|token| is_word(token, "pub"));
        let visibility = visible.filter(|at| *at < function).map_or(&[][..], |at| &tokens[at..function]);
        let visibility = visibility.iter().filter(|token| !is_word(token, "async")).map(ToString::to_string).collect();
        let (name, method) = (tokens.get(function + 1)?.to_string(), method.to_string().to_uppercase());
        Some(Self { visibility, name, method, path })
    }
}

fn in_group(delimiter: Delimiter, tokens: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(delimiter, tokens))
}

fn code(text: &str) -> TokenStream {
    text.parse().expect("the code is made of whole tokens")
}
