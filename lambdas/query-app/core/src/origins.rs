//! The pages that may use the query app.

use function::{Invalid, required};

/// Origins as browsers send them, `https://host` or `https://host:port`, and `http://` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads the variable `ORIGINS`, a comma-separated list.
    ///
    /// # Errors
    ///
    /// If it is missing, or an entry is not an origin.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Origins, Invalid> {
        let text = required(variable, "ORIGINS")?;
        let origins: Vec<String> = text.split(',').map(|origin| origin.trim().to_owned()).collect();
        match origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(Origins(origins)),
            Some(wrong) => Err(Invalid(format!(
                "ORIGINS has `{wrong}`; must be https://host or https://host:port, or http:// on this machine"
            ))),
        }
    }

    /// Whether pages of `origin` may use the query app.
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}

fn is_origin(text: &str) -> bool {
    let is_host = |host: &str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte))
    };
    let is_local = |host: &str| matches!(host.split(':').next(), Some("localhost" | "127.0.0.1"));
    match text.split_once("://") {
        Some(("https", host)) => is_host(host),
        Some(("http", host)) => is_host(host) && is_local(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_origins_are_accepted() {
        let read = |text: &str| Origins::read(&|_: &str| Some(text.to_owned()));
        let origins = read("https://a.example, http://127.0.0.1:8080").unwrap();
        for (origin, is_allowed) in [
            ("https://a.example", true),
            ("http://127.0.0.1:8080", true),
            ("https://a.example.evil", false),
            ("http://a.example", false),
            ("", false),
            ("null", false),
        ] {
            assert_eq!(origins.allow(origin), is_allowed, "{origin}");
        }
        for wrong in ["", "*", "https://*", "https://a/", "http://a.example", "a.example", "https://a,", "HTTPS://A"] {
            assert!(read(wrong).unwrap_err().0.contains("ORIGINS"), "{wrong}");
        }
    }
}
