//! Shapes: test credentials described, and made from a seed at run time, so that nothing in
//! the tree looks like a live key.
/// tmp
pub fn fill(_s: &str, _seed: u64) -> Result<String, String> { Ok(String::new()) }
