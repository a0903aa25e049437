//! keymuster connector: reads AWS IAM: principals, policies, access keys.
