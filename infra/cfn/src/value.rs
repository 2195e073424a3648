//! Property values.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;

use serde_json::json;

use crate::properties::Problem;
use crate::{Json, LogicalId};

/// A property value of type `T`: a literal, or an intrinsic that CloudFormation resolves to a `T` at deploy time.
///
/// `T` is only a marker: `Value<String>`, `Value<i64>`, `Value<bool>`, `Value<f64>`, `Value<Json>`, `Value<Vec<T>>`,
/// `Value<BTreeMap<String, T>>`, or a generated property type or enum. Literals convert with [`Into`]; intrinsics come
/// from [`crate::intrinsic`] and from the refs that [`crate::Stack::add`] returns.
pub struct Value<T> {
    json: Json,
    problems: Vec<Problem>,
    set_at: Option<&'static Location<'static>>,
    unchecked: bool,
    ty: PhantomData<fn() -> T>,
}

impl<T> Value<T> {
    /// A value that is not checked: a way around an enum, a type or a limit that is wrong in the specification.
    pub fn raw(json: impl Into<Json>) -> Self {
        Self { unchecked: true, ..Self::from_parts(json.into(), Vec::new()) }
    }

    /// `{"Ref": id}`.
    pub fn reference(id: &LogicalId) -> Self {
        Self::raw(json!({ "Ref": id.as_str() }))
    }

    /// `{"Fn::GetAtt": [id, attribute]}`.
    pub fn get_att(id: &LogicalId, attribute: &str) -> Self {
        Self::raw(json!({ "Fn::GetAtt": [id.as_str(), attribute] }))
    }

    /// The same JSON as a value of a different type, for example a string parameter where an enum is expected.
    pub fn cast<U>(self) -> Value<U> {
        let Self { json, problems, set_at, unchecked, ty: _ } = self;
        Value { json, problems, set_at, unchecked, ty: PhantomData }
    }

    /// Remembers the caller's line as the one that set this value.
    ///
    /// Setters of constructs call it, so that a constraint that is broken inside the construct is reported at the line that chose the
    /// value.
    #[track_caller]
    #[must_use]
    pub fn set_here(mut self) -> Self {
        self.set_at = Some(Location::caller());
        self
    }

    /// The JSON of this value.
    pub fn json(&self) -> &Json {
        &self.json
    }

    pub(crate) fn from_parts(json: Json, problems: Vec<Problem>) -> Self {
        Self { json, problems, set_at: None, unchecked: false, ty: PhantomData }
    }

    pub(crate) fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    pub(crate) fn into_parts(self) -> (Json, Vec<Problem>, Option<&'static Location<'static>>) {
        (self.json, self.problems, self.set_at)
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        let Self { json, problems, set_at, unchecked, ty: _ } = self;
        Self { json: json.clone(), problems: problems.clone(), set_at: *set_at, unchecked: *unchecked, ty: PhantomData }
    }
}

impl<T> std::fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.json.fmt(f)
    }
}

impl<T> From<Value<T>> for Json {
    fn from(value: Value<T>) -> Json {
        value.json
    }
}

impl<T> From<&Value<T>> for Value<T> {
    fn from(value: &Value<T>) -> Self {
        value.clone()
    }
}

macro_rules! literal {
    ($($from:ty => $to:ty),* $(,)?) => {$(
        impl From<$from> for Value<$to> {
            fn from(value: $from) -> Self {
                Self::from_parts(value.into(), Vec::new())
            }
        }
    )*};
}
literal! {
    &str => String, String => String, bool => bool, Json => Json,
    i32 => i64, u32 => i64, i64 => i64, u16 => i64,
    i32 => f64, u32 => f64, i64 => f64, f64 => f64,
}

impl From<&String> for Value<String> {
    fn from(value: &String) -> Self {
        Self::from_parts(value.as_str().into(), Vec::new())
    }
}

impl<T, V: Into<Value<T>>> From<Vec<V>> for Value<Vec<T>> {
    fn from(value: Vec<V>) -> Self {
        list(value)
    }
}

impl<T, V: Into<Value<T>>, const N: usize> From<[V; N]> for Value<Vec<T>> {
    fn from(value: [V; N]) -> Self {
        list(value)
    }
}

impl<T, V: Into<Value<T>>> From<BTreeMap<String, V>> for Value<BTreeMap<String, T>> {
    fn from(value: BTreeMap<String, V>) -> Self {
        map(value)
    }
}

impl<T, V: Into<Value<T>>, const N: usize> From<[(&str, V); N]> for Value<BTreeMap<String, T>> {
    fn from(value: [(&str, V); N]) -> Self {
        map(value.map(|(key, value)| (key.to_owned(), value)))
    }
}

/// A list; problems inside an item are reported at `[index]`.
fn list<T, V: Into<Value<T>>>(items: impl IntoIterator<Item = V>) -> Value<Vec<T>> {
    let mut problems = Vec::new();
    let mut json = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let (item, inner, _) = item.into().into_parts();
        problems.extend(inner.into_iter().map(|problem| problem.inside(&format!("[{index}]"))));
        json.push(item);
    }
    Value::from_parts(Json::Array(json), problems)
}

fn map<T, V: Into<Value<T>>>(entries: impl IntoIterator<Item = (String, V)>) -> Value<BTreeMap<String, T>> {
    let mut problems = Vec::new();
    let mut json = serde_json::Map::new();
    for (key, value) in entries {
        let (value, inner, _) = value.into().into_parts();
        problems.extend(inner.into_iter().map(|problem| problem.inside(&key)));
        json.insert(key, value);
    }
    Value::from_parts(Json::Object(json), problems)
}
