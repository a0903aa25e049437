//! What is known about kinds of credentials, apart from how to find them: data, no code.

pub mod kinds;

#[cfg(test)]
mod rules_check;
