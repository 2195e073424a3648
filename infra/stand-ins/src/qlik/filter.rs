//! The part of SCIM filters that listing reloads accepts: `(status eq "QUEUED") or (status eq "RELOADING")`.

use serde_json::Value;

/// One of the lists must hold as a whole: `or` of `and`.
#[derive(Debug, PartialEq)]
pub(crate) struct Filter(Vec<Vec<(String, Value)>>);

/// `None` if the text is not such a filter; the empty text matches everything.
pub(crate) fn parse(text: &str) -> Option<Filter> {
    if text.trim().is_empty() {
        return Some(Filter(vec![Vec::new()]));
    }
    let all = |part: &str| part.split(" and ").map(comparison).collect::<Option<Vec<_>>>();
    text.split(" or ").map(all).collect::<Option<Vec<_>>>().map(Filter)
}

impl Filter {
    pub(crate) fn matches(&self, reload: &Value) -> bool {
        self.0.iter().any(|all| all.iter().all(|(field, value)| reload[field] == *value))
    }
}

fn comparison(text: &str) -> Option<(String, Value)> {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    let (field, value) = text.split_once(" eq ")?;
    let field = field.trim();
    let value = serde_json::from_str(value.trim()).ok()?;
    ["status", "partial", "type"].contains(&field).then(|| (field.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_joins_comparisons_by_or_and_and() {
        let filter = parse(r#"(status eq "QUEUED") or (status eq "RELOADING" and partial eq true)"#).unwrap();
        assert!(filter.matches(&json!({"status": "QUEUED", "partial": false})));
        assert!(filter.matches(&json!({"status": "RELOADING", "partial": true})));
        assert!(!filter.matches(&json!({"status": "RELOADING", "partial": false})));
    }

    #[test]
    fn what_is_not_a_filter_is_rejected() {
        assert_eq!(parse("status"), None);
        assert_eq!(parse(r#"appId eq "x""#), None);
        assert_eq!(parse("status eq QUEUED"), None);
    }
}
