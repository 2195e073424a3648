//! The tag that nearly every resource type takes.

/// A tag: a key, unique within its resource, and a value.
#[derive(Clone, Debug)]
#[must_use]
pub struct Tag(cfn::Properties);

impl Tag {
    /// A key of 1 to 128 characters, and a value of at most 256.
    /// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
    #[track_caller]
    pub fn new(key: impl Into<cfn::Value<String>>, value: impl Into<cfn::Value<String>>) -> Self {
        const KEY: cfn::Constraint =
            cfn::Constraint { min_length: Some(1), max_length: Some(128), ..cfn::Constraint::NONE };
        const VALUE: cfn::Constraint = cfn::Constraint { max_length: Some(256), ..cfn::Constraint::NONE };
        Self(cfn::Properties::default().set_checked("Key", key, &KEY).set_checked("Value", value, &VALUE))
    }
}

impl cfn::Literal for Tag {
    fn into_value(self) -> cfn::Value<Self> {
        self.0.into_value()
    }
}
