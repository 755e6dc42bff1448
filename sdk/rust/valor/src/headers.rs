use std::fmt;

use crate::head::Head;

/// Headers in order; a name may repeat. Names are in lower case, and every function takes them in any case. Values are
/// bytes, usually ASCII.
///
/// A name that is no token, or a value with a line break, makes the answer a 502 and the log say so.
#[derive(Clone)]
pub struct Headers(Source);

/// What was received stays as it came; changing it makes a list of our own.
#[derive(Clone)]
enum Source {
    Received(Head),
    /// As the ABI wants headers: for each u32 size of the name, u32 size of the value, the name, the value.
    Packed(Vec<u8>),
}

impl Headers {
    pub fn new() -> Headers {
        Headers(Source::Packed(Vec::new()))
    }

    pub(crate) fn received(head: Head) -> Headers {
        Headers(Source::Received(head))
    }

    /// Where they came from; None once they were changed.
    pub(crate) fn head(&self) -> Option<&Head> {
        match &self.0 {
            Source::Received(head) => Some(head),
            Source::Packed(_) => None,
        }
    }

    /// The first value of `name` as text. None when there is no such header or its value is not UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of `name`.
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.raw().find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// All values of `name`.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.raw().filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.get_bytes(name).is_some()
    }

    /// Adds a header behind the others.
    pub fn append(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) {
        self.append_raw(name.as_ref().as_bytes(), value.as_ref());
    }

    fn append_raw(&mut self, name: &[u8], value: &[u8]) {
        let block = self.own();
        block.reserve(8 + name.len() + value.len());
        block.extend_from_slice(&(name.len() as u32).to_ne_bytes());
        block.extend_from_slice(&(value.len() as u32).to_ne_bytes());
        block.extend(name.iter().map(u8::to_ascii_lowercase));
        block.extend_from_slice(value);
    }

    /// Removes the headers of that name and adds this one.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.append(name, value);
    }

    /// Removes the headers of that name.
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let mut kept = Headers::new();
        for (other, value) in self.raw().filter(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes())) {
            kept.append_raw(other, value);
        }
        *self = kept;
    }

    pub fn iter(&self) -> HeadersIter<'_> {
        HeadersIter(self.raw())
    }

    fn raw(&self) -> Place<'_> {
        match &self.0 {
            Source::Received(head) => Place::Received(head, 0),
            Source::Packed(block) => Place::Packed(block),
        }
    }

    pub fn len(&self) -> usize {
        self.raw().count()
    }

    pub fn is_empty(&self) -> bool {
        self.raw().next().is_none()
    }

    fn own(&mut self) -> &mut Vec<u8> {
        if let Source::Received(_) = self.0 {
            let mut own = Headers::new();
            for (name, value) in self.raw() {
                own.append_raw(name, value);
            }
            *self = own;
        }
        match &mut self.0 {
            Source::Packed(block) => block,
            Source::Received(_) => unreachable!("replaced above"),
        }
    }

    /// As the host's functions want it.
    pub(crate) fn packed(&mut self) -> &[u8] {
        self.own()
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn unpack(block: &[u8]) -> Headers {
        Headers(Source::Packed(block.to_vec()))
    }
}

impl Default for Headers {
    fn default() -> Headers {
        Headers::new()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = HeadersIter<'a>;
    fn into_iter(self) -> HeadersIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)))).finish()
    }
}

/// Name and value of each header.
pub struct HeadersIter<'a>(Place<'a>);

enum Place<'a> {
    Received(&'a Head, usize),
    Packed(&'a [u8]),
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Names are ASCII.
        self.0.next().map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }
}

impl<'a> Iterator for Place<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Place::Received(head, index) => {
                *index += 1;
                (*index <= head.header_count()).then(|| head.header_at(*index - 1))
            }
            Place::Packed(block) => {
                let sizes = block.get(..8)?;
                let size_at = |at: usize| u32::from_ne_bytes(sizes[at..at + 4].try_into().unwrap_or_default()) as usize;
                let (name, rest) = block[8..].split_at(size_at(0));
                let (value, rest) = rest.split_at(size_at(4));
                *block = rest;
                Some((name, value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(headers: &Headers) -> Vec<(&str, &str)> {
        headers.iter().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect()
    }

    #[test]
    fn order_and_repetitions_are_kept() {
        let mut headers = Headers::new();
        headers.append("Set-Cookie", "a=1");
        headers.append("x", b"1");
        headers.append("set-cookie", String::from("b=2"));
        assert_eq!(list(&headers), [("set-cookie", "a=1"), ("x", "1"), ("set-cookie", "b=2")]);
        assert_eq!(headers.get("SET-COOKIE"), Some("a=1"));
        assert_eq!(headers.get_all("Set-cookie").collect::<Vec<_>>(), [b"a=1", b"b=2"]);
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn set_replaces_all_of_a_name() {
        let mut headers = Headers::new();
        headers.append("a", "1");
        headers.append("b", "2");
        headers.append("A", "3");
        headers.set("a", "4");
        assert_eq!(list(&headers), [("b", "2"), ("a", "4")]);
        headers.remove("B");
        headers.remove("nothing");
        assert_eq!(list(&headers), [("a", "4")]);
        assert!(Headers::default().is_empty() && !headers.is_empty());
    }

    #[test]
    fn values_are_bytes() {
        let mut headers = Headers::new();
        headers.append("latin", [0xe9]);
        assert_eq!(headers.get("latin"), None);
        assert_eq!(headers.get_bytes("latin"), Some(&[0xe9][..]));
        assert_eq!(format!("{headers:?}"), "{\"latin\": \"\u{fffd}\"}");
    }
}
