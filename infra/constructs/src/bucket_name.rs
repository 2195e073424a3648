//! Names of buckets.

use std::net::Ipv4Addr;

/// Checks the name of a general purpose bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
///
/// # Errors
///
/// One sentence with the name and what is allowed.
pub fn check(name: &str) -> Result<(), String> {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let labels_fit = name.split('.').all(|label| {
        let ends = [label.bytes().next(), label.bytes().last()];
        ends.into_iter().all(|end| end.is_some_and(is_plain))
            && label.bytes().all(|byte| is_plain(byte) || byte == b'-')
    });
    if !(3..=63).contains(&name.len()) || !labels_fit {
        return Err(format!(
            "`{name}` is not a valid bucket name; use 3 to 63 characters a-z, 0-9, `.` and `-`, with a letter or digit at both ends and \
             around each `.`"
        ));
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Err(format!("`{name}` is not a valid bucket name, because it looks like an IP address"));
    }
    let start = PREFIXES.iter().find(|start| name.starts_with(**start));
    let end = SUFFIXES.iter().find(|end| name.ends_with(**end));
    match start.or(end) {
        Some(reserved) => Err(format!("`{name}` is not a valid bucket name; S3 reserves `{reserved}`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_follow_the_rules_of_s3() {
        for name in ["abc", "a-b.c-d", "1a2", &"x".repeat(63)] {
            assert_eq!(check(name), Ok(()));
        }
        for (name, part) in [
            ("ab", "3 to 63 characters"),
            (&"x".repeat(64), "3 to 63 characters"),
            ("Abc", "a-z, 0-9"),
            ("a_b", "a-z, 0-9"),
            ("a..b", "around each `.`"),
            ("a.-b", "around each `.`"),
            ("-abc", "at both ends"),
            ("abc-", "at both ends"),
            (".abc", "around each `.`"),
            ("192.168.0.1", "looks like an IP address"),
            ("xn--abc", "reserves `xn--`"),
            ("abc-s3alias", "reserves `-s3alias`"),
        ] {
            let message = check(name).unwrap_err();
            assert!(message.contains(part), "{name}: {message}");
        }
    }
}
