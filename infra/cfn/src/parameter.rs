//! Parameters and outputs: what goes into a stack, and what comes out of it.

use std::marker::PhantomData;

use serde_json::json;

use crate::{Json, NamedCondition, Value};

/// A template parameter whose value is a `T`.
#[derive(Clone, Debug)]
pub struct Parameter<T> {
    pub(crate) json: Json,
    ty: PhantomData<fn() -> T>,
}

impl Parameter<String> {
    /// A `String`.
    pub fn string() -> Self {
        Self::of_type("String")
    }
}

impl Parameter<i64> {
    /// A `Number`.
    pub fn number() -> Self {
        Self::of_type("Number")
    }
}

impl<T> Parameter<T> {
    /// A parameter of any CloudFormation type, for example `AWS::SSM::Parameter::Value<String>`.
    pub fn of_type(ty: &str) -> Self {
        Self { json: json!({ "Type": ty }), ty: PhantomData }
    }

    /// What the parameter is for, shown to whoever enters a value.
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        self.with("Description", text)
    }

    /// The value if none is given.
    #[must_use]
    pub fn default(self, value: impl Into<Json>) -> Self {
        self.with("Default", value)
    }

    /// The closed set of values.
    #[must_use]
    pub fn allowed_values<const N: usize>(self, values: [&str; N]) -> Self {
        self.with("AllowedValues", values.to_vec())
    }

    /// A regular expression for the whole value.
    #[must_use]
    pub fn allowed_pattern(self, pattern: &str) -> Self {
        self.with("AllowedPattern", pattern)
    }

    /// Keeps the value out of the console and the API.
    #[must_use]
    pub fn no_echo(self) -> Self {
        self.with("NoEcho", true)
    }

    fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.json[name] = value.into();
        self
    }
}

/// A value that a deployed stack shows.
#[derive(Clone, Debug)]
pub struct Output {
    pub(crate) json: Json,
}

impl Output {
    /// An output of `value`.
    pub fn new(value: impl Into<Value<String>>) -> Self {
        Self { json: json!({ "Value": Json::from(value.into()) }) }
    }

    /// What the value is.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.json["Description"] = text.into();
        self
    }

    /// The name under which other stacks may import the value. An import ties the stacks together, so prefer
    /// [`crate::intrinsic::stack_output`].
    #[must_use]
    pub fn export(mut self, name: impl Into<Value<String>>) -> Self {
        self.json["Export"] = json!({ "Name": Json::from(name.into()) });
        self
    }

    /// Shows the value only when the condition holds.
    #[must_use]
    pub fn only_if(mut self, condition: &NamedCondition) -> Self {
        self.json["Condition"] = condition.0.as_str().into();
        self
    }
}

impl From<Value<String>> for Output {
    fn from(value: Value<String>) -> Self {
        Self::new(value)
    }
}
