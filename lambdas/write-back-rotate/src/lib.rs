//! Rotates the signing key; the old one still verifies.
