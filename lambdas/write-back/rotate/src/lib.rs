//! Rotates the signing key; the old one still verifies.
//!
//! Secrets Manager calls it once for each of four steps, and again if one fails; each step may run twice without harm:
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html>.
//!
//! | step | does |
//! |---|---|
//! | createSecret | stores a new key as AWSPENDING, if there is none yet; from now on it verifies |
//! | setSecret | nothing: no other system holds the key |
//! | testSecret | signs and verifies with the new key |
//! | finishSecret | makes it AWSCURRENT; the old one becomes AWSPREVIOUS and verifies until the next rotation |

mod handler;

pub use handler::{Error, KeyRotator, Settings};
