use serde_json::json;

use super::{Redactor, doubt_about};

fn redacted(secret: &str, text: &str) -> String {
    Redactor::new([("k", secret)]).text(text)
}

#[test]
fn a_secret_is_taken_out_in_every_form() {
    let secret = "pä$$ \"w/o+rd\"&<x>";
    for form in [
        secret,
        "PÄ$$ \"W/O+RD\"&<X>".replace('Ä', "ä").as_str(),
        "p%C3%A4%24%24%20%22w%2Fo%2Brd%22%26%3Cx%3E",
        "p%c3%a4$$%20%22w/o+rd%22&%3Cx%3E",
        "p%C3%A4%24%24+%22w%2Fo%2Brd%22%26%3Cx%3E",
        r#"pä$$ \"w/o+rd\"&<x>"#,
        r#"p\u00e4$$ \"w\/o+rd\"\u0026\u003cx\u003E"#,
        "pä$$ &quot;w/o+rd&quot;&amp;&lt;x&gt;",
        "p&#228;$$ &#34;w&#x2F;o+rd&#x22;&amp;&lt;x&gt;",
        "p%25C3%25A4%2524%2524%2520%2522w%252Fo%252Brd%2522%2526%253Cx%253E",
        r#"pä$$ \\\"w/o+rd\\\"&<x>"#,
        "cMOkJCQgIncvbytyZCImPHg+",
        "cMOkJCQgIncvbytyZCImPHg-",
        "70c3a4242420 22772f6f2b7264222 63c783e".replace(' ', "").as_str(),
        "70C3A424242022772F6F2B726422263C783E",
    ] {
        assert_eq!(redacted(secret, &format!("a {form} b")), "a [secret:k] b", "{form}");
    }
}

#[test]
fn base64_is_recognised_wherever_the_secret_stands_in_it() {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    let secret = "s3cret-t0ken";
    for before in ["", "u", "us", "user:", "an.address@of.example:"] {
        for after in ["", "!", "ab", "\n"] {
            let whole = format!("{before}{secret}{after}");
            for encoded in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE_NO_PAD.encode(&whole)] {
                let text = redacted(secret, &format!("{{\"authorization\":\"Basic {encoded}\"}}"));
                assert_eq!(text, "{\"authorization\":\"Basic [secret:k]\"}", "{whole:?}");
            }
        }
    }
}

#[test]
fn a_number_of_json_is_a_form_of_its_digits() {
    let redactor = Redactor::new([("pin", "12345"), ("long", "12345678901234567890123"), ("flag", "1")]);
    let value = redactor.value(json!({"a": 12345, "b": [12345.0, 12346], "c": 1.234_567_890_123_456_8e22, "d": 1}));
    assert_eq!(value, json!({"a": "[secret:pin]", "b": ["[secret:pin]", 12346], "c": "[secret:long]", "d": 1}));
}

#[test]
fn secrets_that_overlap_leave_no_parts() {
    let redactor = Redactor::new([("a", "abcdef"), ("b", "defghijk"), ("c", "cde"), ("d", "abcdefgh")]);
    assert_eq!(redactor.text("xabcdefghijkx"), "x[secret:d]x", "those that overlap, and those inside");
    assert_eq!(redactor.text("abcdefgh cde"), "[secret:d] [secret:c]");
    let one = Redactor::new([("a", "token"), ("b", "token-extended")]);
    assert_eq!(one.text("token-extended"), "[secret:b]");
}

#[test]
fn a_line_break_at_the_end_does_not_hide_a_secret() {
    assert_eq!(redacted("topsecret\n", "you sent topsecret"), "you sent [secret:k]");
}

#[test]
fn credentials_inside_a_url_are_secrets_too() {
    let secret = "https://user:p4ssw0rd@hooks.example/services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX?sig=abcdefghijklmnop&v=2016-10-01";
    assert_eq!(
        redacted(secret, "no POST /services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX"),
        "no POST /services/T000/B000/[secret:k]"
    );
    assert_eq!(
        redacted(secret, "sig abcdefghijklmnop, password p4ssw0rd, v=2016-10-01"),
        "sig [secret:k], password [secret:k], v=2016-10-01"
    );
    assert_eq!(redacted("https://mail.example/v1", "GET /v1 at mail.example"), "GET /v1 at mail.example");
}

#[test]
fn other_text_stays_as_it_is() {
    let text = "100% of R&D; a+b, \\o/ &nope; %zz \\u12 ü\u{1F600} dG9wIHNlY3JldA==";
    assert_eq!(redacted("something-else", text), text);
    assert_eq!(redacted("", text), text);
    assert_eq!(redacted(" \n", text), text);
    assert_eq!(Redactor::default().value(json!({"a": [1, "x", null]})), json!({"a": [1, "x", null]}));
}

#[test]
fn keys_are_texts_too() {
    let redactor = Redactor::new([("k", "topsecret")]);
    assert_eq!(
        redactor.value(json!({"x-topsecret": {"topsecret": true}})),
        json!({"x-[secret:k]": {"[secret:k]": true}})
    );
}

#[test]
fn many_repeats_do_not_multiply_a_text() {
    assert_eq!(redacted("a", &"a".repeat(100_000)), "[secret:k]");
}

#[test]
fn what_is_doubtful_about_a_secret_is_told() {
    for (secret, words) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("topsecret\n", "ends with a line break"),
        ("topsecret\r\n", "ends with a line break"),
        (" topsecret", "begins or ends with blanks"),
        ("top\u{0}secret", "holds control characters"),
        ("top", "is so short"),
    ] {
        let doubt = doubt_about(secret).unwrap_or_default();
        assert!(doubt.starts_with(words), "{secret:?}: {doubt}");
    }
    assert_eq!(doubt_about("topsecret"), None);
    assert_eq!(doubt_about("-----BEGIN KEY-----\nabc\n-----END KEY-----"), None, "lines inside are fine");
}

#[test]
fn a_hostile_answer_takes_little_memory_and_hides_nothing() {
    let noise = "%41+\\u0041&amp;".repeat(20_000);
    let text = format!("{noise} dG9wc2VjcmV0 {noise} top%73ecret");
    let redacted = redacted("topsecret", &text);
    assert!(redacted.ends_with(" [secret:k]") && redacted.contains(" [secret:k] %41"), "both are found");
}
