//! A template, with what CloudFormation works out from it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cfn::{Reference, references};
use serde_json::Value;

#[derive(Default, PartialEq)]
pub(crate) struct Template {
    pub(crate) json: Value,
    pub(crate) resources: BTreeMap<String, Arc<Value>>,
    /// Which resources each resource needs.
    pub(crate) needs: BTreeMap<String, BTreeSet<String>>,
    /// The logical IDs, each after those it needs.
    pub(crate) order: Vec<String>,
}

thread_local! {
    /// The same few templates are deployed thousands of times.
    static PARSED: RefCell<HashMap<String, Arc<Template>>> = RefCell::default();
}

impl Template {
    pub(crate) fn parse(text: &str) -> Arc<Template> {
        PARSED.with_borrow_mut(|parsed| match parsed.get(text) {
            Some(template) => Arc::clone(template),
            None => {
                let template = Arc::new(Template::new(serde_json::from_str(text).unwrap()));
                parsed.insert(text.to_owned(), Arc::clone(&template));
                template
            }
        })
    }

    fn new(json: Value) -> Template {
        let definitions = json["Resources"].as_object().unwrap();
        let resources = definitions.iter().map(|(id, definition)| (id.clone(), Arc::new(definition.clone()))).collect();
        let needs = needs(&json);
        let mut order: Vec<String> = Vec::new();
        let mut waiting = needs.clone();
        while let Some((id, _)) = waiting.iter().find(|(_, needs)| needs.is_empty()) {
            let id = id.clone();
            waiting.remove(&id);
            for needs in waiting.values_mut() {
                needs.remove(&id);
            }
            order.push(id);
        }
        assert!(waiting.is_empty(), "these resources need each other: {waiting:?}");
        Template { json, resources, needs, order }
    }

    /// `DeletionPolicy` or `UpdateReplacePolicy` of a resource.
    pub(crate) fn policy(&self, id: &str, which: &str) -> String {
        self.resources.get(id).and_then(|resource| resource[which].as_str()).unwrap_or("Delete").to_owned()
    }
}

/// Which resources each resource needs.
pub(crate) fn needs(template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let resources = template["Resources"].as_object().unwrap();
    let needed = |definition: &Value| {
        let mut names = BTreeSet::new();
        references(definition, &mut |reference: Reference<'_>| {
            names.insert(reference.name().to_owned());
        });
        match &definition["DependsOn"] {
            Value::String(id) => names.extend([id.clone()]),
            Value::Array(ids) => names.extend(ids.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
        names.retain(|name| resources.contains_key(name));
        names
    };
    resources.iter().map(|(id, definition)| (id.clone(), needed(definition))).collect()
}
