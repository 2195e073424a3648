//! How often a user resumes requests: each time, a whole result may be read and sent.

use crate::item::{Change, Unavailable, Written, number};
use crate::table::Table;

/// The most resumes of one user in a minute of the clock. A page resumes what it shows once per connection, and every few seconds
/// while parts are missing.
pub const RESUMES_PER_MINUTE: u32 = 60;

impl Table {
    /// Counts a resume. Returns whether the user may still resume in this minute.
    ///
    /// # Errors
    ///
    /// If the table fails.
    pub async fn count_resume(&self, owner: &str) -> Result<bool, Unavailable> {
        let now = self.seconds();
        let key = [&*format!("user#{owner}"), &*format!("resumes#{}", now / 60)];
        let change = Change {
            key,
            update: "SET #count = if_not_exists(#count, :none) + :one, #expires = :expires",
            condition: "attribute_not_exists(#count) OR #count < :most",
            values: vec![
                (":none", number(0)),
                (":one", number(1)),
                (":most", number(RESUMES_PER_MINUTE)),
                (":expires", number(now + 120)),
            ],
        };
        Ok(matches!(change.send(&self.client, &self.name).await?, Written::Yes(_)))
    }
}
