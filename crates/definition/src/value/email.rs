//! Addresses of e-mail.

/// The form in which an address is kept and compared: without white space around it, in lower case as a whole.
///
/// The part before `@` might tell cases apart by RFC 5321, but no mail service does, and to people `Eve@Example.com` and
/// `eve@example.com` are one address. `None` if the text is no address: something before and something after one `@`,
/// and no white space.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, domain) = text.split_once('@')?;
    let is_address = !name.is_empty() && !domain.is_empty() && !domain.contains('@');
    (is_address && !text.contains(char::is_whitespace)).then(|| text.to_lowercase())
}
