//! Fields of queries and forms.

/// The value of a field in a query or a form.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
