//! Interned strings: a million facts share a few hundred thousand names.

use std::{collections::HashMap, sync::Arc};

/// An interned string: an index into the [`Texts`] it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sym(u32);

/// An interner. Symbols are given in order of first appearance.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    all: Vec<Arc<str>>,
    index: HashMap<Arc<str>, Sym>,
}

impl Texts {
    /// The symbol of this text, new or known.
    pub fn intern(&mut self, text: &str) -> Sym {
        if let Some(&sym) = self.index.get(text) {
            return sym;
        }
        let shared: Arc<str> = text.into();
        let sym = Sym(u32::try_from(self.all.len()).expect("fewer than 2^32 distinct names"));
        self.all.push(Arc::clone(&shared));
        self.index.insert(shared, sym);
        sym
    }

    /// The symbol of this text, if it was interned.
    pub fn find(&self, text: &str) -> Option<Sym> {
        self.index.get(text).copied()
    }

    /// The text of a symbol of this interner.
    pub fn text(&self, sym: Sym) -> &str {
        &self.all[sym.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn equal_texts_share_a_symbol() {
        let mut texts = Texts::default();
        let a = texts.intern("arn:aws:iam::1:user/a");
        assert_eq!(texts.intern("arn:aws:iam::1:user/a"), a);
        assert_ne!(texts.intern("b"), a);
        assert_eq!(texts.text(a), "arn:aws:iam::1:user/a");
        assert_eq!(texts.find("c"), None);
    }
}
