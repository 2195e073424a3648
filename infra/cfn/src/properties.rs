//! `Properties` objects and their problems.

use std::panic::Location;

use crate::{Constraint, Json, Value};

/// A `Properties` object under construction: ordered JSON, and the problems found so far.
///
/// Every generated resource and property type is a newtype of this one.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    json: serde_json::Map<String, Json>,
    problems: Vec<Problem>,
}

/// A type whose values are literals: a structure inside a resource's properties, or an enum. The generated bindings implement it.
///
/// It is a separate trait because the compiler would compare thousands of `From` implementations for [`Value`] or [`Properties`] pair by
/// pair.
pub trait Literal: Sized {
    /// The value as in the template.
    fn into_value(self) -> Value<Self>;
}

impl<L: Literal> From<L> for Value<L> {
    fn from(value: L) -> Self {
        value.into_value()
    }
}

impl Properties {
    /// Sets one property that has no constraint.
    #[must_use]
    pub fn set<T>(mut self, name: &'static str, value: impl Into<Value<T>>) -> Self {
        let (json, problems, _) = value.into().into_parts();
        self.put(name, json, problems);
        self
    }

    /// Sets one property and checks it; a literal that breaks `constraint` is a problem at the caller's line.
    #[track_caller]
    #[must_use]
    pub fn set_checked<T>(
        mut self,
        name: &'static str,
        value: impl Into<Value<T>>,
        constraint: &'static Constraint,
    ) -> Self {
        let value = value.into();
        let unchecked = value.is_unchecked();
        let (json, problems, set_at) = value.into_parts();
        if !unchecked {
            self.check(name, &json, constraint, set_at, Location::caller());
        }
        self.put(name, json, problems);
        self
    }

    /// Sets one property to unchecked JSON: the escape hatch for what the bindings do not support.
    #[must_use]
    pub fn set_raw(mut self, name: &str, json: impl Into<Json>) -> Self {
        self.json.insert(name.to_owned(), json.into());
        self
    }

    /// The structure that has these properties.
    pub fn into_value<T>(self) -> Value<T> {
        Value::from_parts(Json::Object(self.json), self.problems)
    }

    fn check(
        &mut self,
        name: &str,
        json: &Json,
        constraint: &Constraint,
        set_at: Option<&'static Location<'static>>,
        caller: &'static Location<'static>,
    ) {
        if let Some((path, message)) = constraint.broken_by(json) {
            self.problems.push(Problem {
                path: rust_name(name) + &path,
                message,
                location: set_at.unwrap_or(caller),
                exact: set_at.is_some(),
            });
        }
    }

    fn put(&mut self, name: &str, json: Json, problems: Vec<Problem>) {
        if !problems.is_empty() {
            let name = rust_name(name);
            self.problems.extend(problems.into_iter().map(|problem| problem.inside(&name)));
        }
        self.json.insert(name.to_owned(), json);
    }

    pub(crate) fn into_parts(self) -> (Json, Vec<Problem>) {
        (Json::Object(self.json), self.problems)
    }
}

/// One broken constraint, on its way up to the resource that contains it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The property in Rust's spelling, `logging_config.log_group`.
    pub(crate) path: String,
    /// What is wrong and what is allowed, `is 64; must be 128 to 10240`.
    pub(crate) message: String,
    pub(crate) location: &'static Location<'static>,
    /// Whether the value remembered where it was set; otherwise the line may be inside a construct.
    pub(crate) exact: bool,
}

impl Problem {
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        let dot = if self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

/// The name of the setter for a property of CloudFormation: `memory_size` for `MemorySize`. Runs of capitals are one word (`KMSKeyArn` is
/// `kms_key_arn`), also plurals of acronyms (`DBSubnetIDs` is `db_subnet_ids`).
pub fn rust_name(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.ends_with('_') && !out.is_empty() {
                out.push('_');
            }
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1).copied();
        let plural_acronym = after == Some('s') && chars.get(i + 2).is_none_or(|c| c.is_ascii_uppercase());
        let starts_word = c.is_ascii_uppercase()
            && match before {
                Some(before) if before.is_ascii_uppercase() => {
                    after.is_some_and(|after| after.is_ascii_lowercase()) && !plural_acronym
                }
                Some(before) => before.is_ascii_alphanumeric(),
                None => false,
            };
        if starts_word {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::rust_name;

    #[test]
    fn names_become_snake_case_and_acronyms_stay_whole() {
        for (name, expected) in [
            ("MemorySize", "memory_size"),
            ("KMSMasterKeyID", "kms_master_key_id"),
            ("DBSubnetIDs", "db_subnet_ids"),
            ("S3Bucket", "s3_bucket"),
            ("SecurityGroupIds", "security_group_ids"),
            ("Url", "url"),
            ("TargetARNs", "target_arns"),
            ("Endpoint.Address", "endpoint_address"),
            ("IPv6", "i_pv6"),
        ] {
            assert_eq!(rust_name(name), expected);
        }
    }
}
