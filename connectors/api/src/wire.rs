//! Sealed things as bytes, for what a run leaves to the next ([`Memo`](crate::Memo)).
//!
//! Little-endian numbers, lengths before contents, no names. Whoever stores such bytes stores a
//! format number beside them: there is no compatibility between versions, only rebuilding.
//! Reading never trusts a length: whatever the bytes are, it ends in `None`, not in a panic.

use std::sync::Arc;

use crate::{Candidate, Confidence, Details, Handle, ObjectId, PathClass, PathClasses, SecretId};

/// Appends values to bytes.
#[derive(Debug, Default)]
pub struct Writer {
    /// What was written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// A number.
    pub fn number(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A short number.
    pub fn short(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes of any length.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Short numbers, in a row.
    pub fn shorts(&mut self, values: &[u32]) {
        self.number(values.len() as u64);
        self.bytes.reserve(values.len() * 4);
        for value in values {
            self.short(*value);
        }
    }

    /// An object id.
    pub fn id(&mut self, id: &ObjectId) {
        self.bytes.push(id.as_bytes().len() as u8);
        self.bytes.extend_from_slice(id.as_bytes());
    }

    /// Candidates of one content.
    pub fn candidates(&mut self, candidates: &[Candidate]) {
        self.number(candidates.len() as u64);
        for candidate in candidates {
            self.short(candidate.rule);
            for place in [
                candidate.span.start,
                candidate.span.end,
                candidate.window.start,
                candidate.window.end,
                candidate.hit,
            ] {
                self.number(place as u64);
            }
            let classes = (0u8..)
                .zip(PathClass::ALL)
                .filter(|&(_, class)| candidate.verdicts.contains(class))
                .fold(0u8, |bits, (bit, _)| bits | 1 << bit);
            self.bytes.push(candidate.confidence as u8);
            self.bytes.push(classes);
            self.bytes.extend_from_slice(&candidate.secret.0);
            self.details(&candidate.details);
        }
    }

    /// What a match told.
    pub fn details(&mut self, details: &Details) {
        let handle = details.handle.as_ref();
        self.bytes.push(u8::from(handle.is_some()));
        if let Some(handle) = handle {
            self.blob(handle.scheme.as_bytes());
            self.blob(handle.value.as_bytes());
        }
        self.blob(details.preview.as_bytes());
        self.number(details.decoded.len() as u64);
        for layer in &details.decoded {
            self.blob(layer.as_bytes());
        }
        self.number(details.facts.len() as u64);
        for (name, value) in &details.facts {
            self.blob(name.as_bytes());
            self.blob(value.as_bytes());
        }
        self.bytes.push(u8::from(details.allowed.is_some()));
        if let Some(allowed) = &details.allowed {
            self.blob(allowed.as_bytes());
        }
    }
}

/// Reads values from bytes; `None` where they are not what was written.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What is left.
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }

    /// A number that is a position or a length.
    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A number of things of at least `least` bytes each, which must be there.
    pub fn count(&mut self, least: usize) -> Option<usize> {
        let count = self.size()?;
        (count.checked_mul(least)? <= self.rest.len()).then_some(count)
    }

    /// A short number.
    pub fn short(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    /// Short numbers, in a row.
    pub fn shorts(&mut self) -> Option<Vec<u32>> {
        let count = self.count(4)?;
        let bytes = self.take(count * 4)?;
        let (chunks, _) = bytes.as_chunks::<4>();
        Some(
            chunks
                .iter()
                .map(|chunk| u32::from_le_bytes(*chunk))
                .collect(),
        )
    }

    /// Bytes of any length.
    pub fn blob(&mut self) -> Option<&'a [u8]> {
        let count = self.count(1)?;
        self.take(count)
    }

    /// Text.
    pub fn text(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.blob()?).ok()?.to_owned())
    }

    /// An object id.
    pub fn id(&mut self) -> Option<ObjectId> {
        let len = usize::from(self.byte()?);
        ObjectId::from_bytes(self.take(len)?)
    }

    /// Candidates of one content. Whether their rules exist is the caller's to know: bytes are
    /// only ever read under the rule set that wrote them.
    pub fn candidates(&mut self) -> Option<Vec<Candidate>> {
        let count = self.count(64)?;
        (0..count).map(|_| self.candidate()).collect()
    }

    fn candidate(&mut self) -> Option<Candidate> {
        let rule = self.short()?;
        let span = self.size()?..self.size()?;
        let window = self.size()?..self.size()?;
        let hit = self.size()?;
        let confidence = *Confidence::ALL.get(usize::from(self.byte()?))?;
        let bits = self.byte()?;
        let verdicts = (0u8..)
            .zip(PathClass::ALL)
            .filter(|&(bit, _)| bits & 1 << bit != 0)
            .fold(PathClasses::NONE, |set, (_, class)| set.with(class));
        let secret = SecretId(*self.take(16)?.first_chunk()?);
        let details = Arc::new(self.details()?);
        Some(Candidate {
            rule,
            span,
            window,
            hit,
            confidence,
            secret,
            verdicts,
            details,
        })
    }

    /// What a match told.
    pub fn details(&mut self) -> Option<Details> {
        let handle = match self.byte()? {
            0 => None,
            _ => Some(Handle {
                scheme: self.text()?,
                value: self.text()?,
            }),
        };
        let preview = self.text()?;
        let count = self.count(8)?;
        let decoded = (0..count).map(|_| self.text()).collect::<Option<_>>()?;
        let count = self.count(16)?;
        let facts = (0..count)
            .map(|_| Some((self.text()?, self.text()?)))
            .collect::<Option<_>>()?;
        let allowed = match self.byte()? {
            0 => None,
            _ => Some(self.text()?),
        };
        Some(Details {
            handle,
            preview,
            decoded,
            facts,
            allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Reader, Writer};
    use crate::{Candidate, Confidence, Details, Handle, PathClass, PathClasses, SecretId};

    #[test]
    fn candidates_are_read_as_written_and_never_from_a_part() {
        let candidates = vec![Candidate {
            rule: 7,
            span: 3..9,
            window: 0..40,
            hit: 2,
            confidence: Confidence::Medium,
            secret: SecretId([9; 16]),
            verdicts: PathClasses::NONE
                .with(PathClass::Test)
                .with(PathClass::Config),
            details: Arc::new(Details {
                handle: Some(Handle::new("arn", "x")),
                preview: "ab… (9)".to_owned(),
                decoded: vec!["base64".to_owned()],
                facts: vec![("issuer".to_owned(), "y".to_owned())],
                allowed: Some(String::new()),
            }),
        }];
        let mut out = Writer::default();
        out.candidates(&candidates);
        assert_eq!(Reader::new(&out.bytes).candidates(), Some(candidates));
        for end in 0..out.bytes.len() {
            assert_eq!(Reader::new(&out.bytes[..end]).candidates(), None, "{end}");
        }
        assert_eq!(Reader::new(&[0xff; 64]).candidates(), None);
        assert_eq!(Reader::new(&[0xff; 64]).shorts(), None);
    }
}
