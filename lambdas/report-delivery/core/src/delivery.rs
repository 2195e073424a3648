//! The deliveries of a finished report, and how far each of them is.

use std::fmt;

use crate::item::{Item, Value};

/// The ways of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By e-mail.
    Mail,
    /// A copy in a partner's bucket.
    Partner,
    /// By SFTP.
    Sftp,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 3] = [Way::Mail, Way::Partner, Way::Sftp];

    /// The job's attribute that records the delivery.
    pub fn attribute(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Partner => "partner",
            Way::Sftp => "sftp",
        }
    }

    /// Whether a delivery whose outcome is unknown may be repeated: a second copy is the same file, a second mail is not the same
    /// mail.
    pub fn is_repeatable(self) -> bool {
        !matches!(self, Way::Mail)
    }
}

/// How far a delivery is; times in milliseconds since 1970. In the job's item it is text, such as `SENT 1765307746000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A run is about to send it, or died doing so; no run sends it after `until`.
    Trying {
        /// The end of the claim.
        until: u64,
        /// The run's ID, by which it recognizes its own claim.
        run: String,
    },
    /// It was certainly not sent, for a reason that may pass.
    Waiting(String),
    /// It was sent at this time.
    Sent(u64),
    /// It will never be accepted.
    Failed(String),
    /// Nobody knows whether it was sent; since this time.
    Unknown(u64),
}

impl Delivery {
    /// The delivery by a way as the job's item records it; `None` if it has not started. A record that cannot be read is a failure.
    pub fn of(item: &Item, way: Way) -> Option<Delivery> {
        let text = match item.get(way.attribute())? {
            Value::S(text) => text.as_str(),
            Value::N(_) => "",
        };
        Some(Delivery::parse(text).unwrap_or_else(|| Delivery::Failed("UNREADABLE".to_owned())))
    }

    fn parse(text: &str) -> Option<Delivery> {
        let (word, rest) = text.split_once(' ')?;
        Some(match word {
            "TRYING" => {
                let (until, run) = rest.split_once(' ').unwrap_or((rest, ""));
                Delivery::Trying { until: until.parse().ok()?, run: run.to_owned() }
            }
            "WAITING" => Delivery::Waiting(rest.to_owned()),
            "SENT" => Delivery::Sent(rest.parse().ok()?),
            "FAILED" => Delivery::Failed(rest.to_owned()),
            "UNKNOWN" => Delivery::Unknown(rest.parse().ok()?),
            _ => return None,
        })
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delivery::Trying { until, run } => write!(f, "TRYING {until} {run}"),
            Delivery::Waiting(code) => write!(f, "WAITING {code}"),
            Delivery::Sent(at) => write!(f, "SENT {at}"),
            Delivery::Failed(code) => write!(f, "FAILED {code}"),
            Delivery::Unknown(at) => write!(f, "UNKNOWN {at}"),
        }
    }
}
