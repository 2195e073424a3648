//! Tokens of signed links: their form, their keys, signing and verifying.
