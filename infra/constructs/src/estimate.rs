//! How long values are that are known only after deployment.

use cfn::{Json, Template};

/// Replaces references by values of the usual length: names and ARNs as CloudFormation would generate them.
pub(crate) struct Estimate<'a> {
    template: &'a Template,
}

impl<'a> Estimate<'a> {
    pub(crate) fn new(template: &'a Template) -> Self {
        Self { template }
    }

    /// The length of a JSON document without white space, which AWS does not count.
    pub(crate) fn document(&self, json: &Json) -> usize {
        let separators = |count: usize| count.saturating_sub(1);
        match json {
            Json::String(text) => quoted(text),
            Json::Array(items) => {
                2 + separators(items.len()) + items.iter().map(|item| self.document(item)).sum::<usize>()
            }
            Json::Object(map) if !cfn::is_intrinsic(map) => {
                let entries = map.iter().map(|(key, value)| quoted(key) + 1 + self.document(value));
                2 + separators(map.len()) + entries.sum::<usize>()
            }
            other => self.resolved(other).to_string().len(),
        }
    }

    /// A text.
    pub(crate) fn text(&self, json: &Json) -> String {
        if let Json::String(text) = json {
            return text.clone();
        }
        match self.resolved(json) {
            Json::String(text) => text,
            Json::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// The name that CloudFormation generates for a resource: at most 64 characters, with a random end.
    pub(crate) fn physical_name(&self, id: &str) -> String {
        let mut name = format!("{}-{id}", self.template.stack);
        name.truncate(51);
        name + "-0123456789ab"
    }

    /// A document, with each reference replaced.
    pub(crate) fn resolved(&self, json: &Json) -> Json {
        match json {
            Json::Array(items) => items.iter().map(|item| self.resolved(item)).collect(),
            Json::Object(map) => match map.iter().next() {
                Some((function, argument)) if cfn::is_intrinsic(map) => self.intrinsic(function, argument),
                _ => map.iter().map(|(key, value)| (key.clone(), self.resolved(value))).collect(),
            },
            other => other.clone(),
        }
    }

    fn intrinsic(&self, function: &str, argument: &Json) -> Json {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        match function {
            "Ref" => self.name(&text(argument)).into(),
            "Fn::GetAtt" => match argument {
                Json::String(path) => self.attribute(path).into(),
                list => self.attribute(&format!("{}.{}", text(&list[0]), text(&list[1]))).into(),
            },
            "Fn::Sub" => self.substituted(argument).into(),
            "Fn::Join" => {
                let parts = argument[1].as_array().into_iter().flatten().map(|part| self.text(part));
                parts.collect::<Vec<_>>().join(&text(&argument[0])).into()
            }
            "Fn::If" => self.resolved(&argument[1]),
            _ => "".into(),
        }
    }

    fn name(&self, name: &str) -> String {
        match name {
            "AWS::AccountId" => "123456789012".to_owned(),
            "AWS::Region" => "eu-central-1".to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => self.template.stack.clone(),
            // The IDs of APIs are short, and those of everything else are names.
            _ => match self.template.resources.get(name) {
                Some(entry) if entry.ty.starts_with("AWS::ApiGateway") => "0123456789".to_owned(),
                Some(_) => self.physical_name(name),
                None => String::new(),
            },
        }
    }

    fn attribute(&self, path: &str) -> String {
        let (id, attribute) = path.split_once('.').unwrap_or((path, ""));
        let service = self.template.resources.get(id).and_then(|entry| entry.ty.split("::").nth(1)).unwrap_or_default();
        let name = self.physical_name(id);
        if attribute.ends_with("Arn") {
            format!("arn:aws:{}:eu-central-1:123456789012:{name}", service.to_lowercase())
        } else {
            name
        }
    }

    fn substituted(&self, argument: &Json) -> String {
        let template = argument.as_str().or(argument[0].as_str()).unwrap_or_default();
        let mut parts = template.split("${");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            text += &match (&argument[1][name], name.contains('.')) {
                (Json::Null, true) => self.attribute(name),
                (Json::Null, false) => self.name(name),
                (own, _) => self.text(own),
            };
            text += rest;
        }
        text
    }
}

/// The length of a text in JSON. Nearly every text has nothing to escape.
fn quoted(text: &str) -> usize {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) { text.len() + 2 } else { Json::from(text).to_string().len() }
}
