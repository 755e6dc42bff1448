//! Configuration: JSON text into Rust.
use std::any::type_name;

use crate::error::Error;

/// What a plug-in's "config" can be read as, by Context::config_as(). Here for text, numbers, truth values, and Option for
/// null. With serde_json a plug-in does without it: `let config: Config = serde_json::from_str(&context.config())?;`, or
/// makes its own type readable in one line:
///
/// ```ignore
/// impl FromConfig for Config {
///     fn from_config(json: &str) -> Result<Self, Error> { Ok(serde_json::from_str(json)?) }
/// }
/// ```
pub trait FromConfig: Sized {
    /// `json` is one JSON value. The error is a sentence for the operator: what is expected.
    fn from_config(json: &str) -> Result<Self, Error>;
}

impl FromConfig for String {
    fn from_config(json: &str) -> Result<String, Error> {
        parse_string(json).ok_or_else(|| Error::fail("the config must be a JSON string"))
    }
}

impl<T: FromConfig> FromConfig for Option<T> {
    fn from_config(json: &str) -> Result<Option<T>, Error> {
        match json.trim() {
            "null" => Ok(None),
            json => T::from_config(json).map(Some),
        }
    }
}

macro_rules! plain_values {
    ($($kind:ty: $what:literal),*) => {$(
        impl FromConfig for $kind {
            fn from_config(json: &str) -> Result<$kind, Error> {
                json.trim().parse().map_err(|_| {
                    Error::fail(format!(concat!("the config must be ", $what, " ({})"), type_name::<$kind>()))
                })
            }
        }
    )*};
}
plain_values!(bool: "true or false", f64: "a number", i32: "a whole number", i64: "a whole number",
              u16: "a whole number", u32: "a whole number", u64: "a whole number", usize: "a whole number");

/// The text of a JSON string such as "\"Alice\""; None when `json` is not exactly one JSON string.
/// https://www.rfc-editor.org/rfc/rfc8259#section-7
pub fn parse_string(json: &str) -> Option<String> {
    let mut rest = json.trim().strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\0'..='\x1f' => return None,
            '\\' => text.push(escaped(&mut rest)?),
            other => text.push(other),
        }
    }
    Some(text)
}

/// What stands behind a backslash.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let unit = hex4(rest)?;
            let mut ahead = rest.clone();
            // Two halves make one code point; a half alone stands for nothing.
            let second =
                match (0xd800..0xdc00).contains(&unit) && ahead.next() == Some('\\') && ahead.next() == Some('u') {
                    true => hex4(&mut ahead).filter(|second| (0xdc00..0xe000).contains(second)),
                    false => None,
                };
            match second {
                Some(second) => {
                    *rest = ahead;
                    char::from_u32(0x10000 + ((unit & 0x3ff) << 10) + (second & 0x3ff))?
                }
                None => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
            }
        }
        c @ ('"' | '\\' | '/') => c,
        _ => return None,
    })
}

fn hex4(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings() {
        let parsed = |json: &str| parse_string(json);
        assert_eq!(parsed(r#""Alice""#).as_deref(), Some("Alice"));
        assert_eq!(parsed(r#" "" "#).as_deref(), Some(""));
        assert_eq!(parsed(r#""a\"\\\/\b\f\n\r\t\u00e9é""#).as_deref(), Some("a\"\\/\x08\x0c\n\r\téé"));
        assert_eq!(
            parsed(r#""\ud83d\ude00 \ud83d \ud83dx \ude00""#).as_deref(),
            Some("😀 \u{fffd} \u{fffd}x \u{fffd}")
        );
        for bad in ["", "\"", "Alice", "null", "\"a\"b\"", "\"a\nb\"", r#""\x""#, r#""\u12""#, r#""a\""#, r#"["a"]"#] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_values() {
        assert_eq!(u32::from_config(" 42").unwrap(), 42);
        assert_eq!(f64::from_config("-1.5e3").unwrap(), -1500.0);
        assert!(bool::from_config("true").unwrap());
        assert_eq!(Option::<u16>::from_config("null").unwrap(), None);
        assert_eq!(Option::<String>::from_config("\"x\"").unwrap().as_deref(), Some("x"));
        assert_eq!(u16::from_config("70000").unwrap_err().message(), "the config must be a whole number (u16)");
        assert_eq!(String::from_config("1").unwrap_err().message(), "the config must be a JSON string");
    }
}
