//! Exceptions, changes, evidence.

pub(super) mod evidence_missing;
pub(super) mod exception_outlived;
pub(super) mod not_attributable;
pub(super) mod outside_review;
pub(super) mod policy_unversioned;
