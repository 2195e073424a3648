//! Whether an API needs a new deployment.

use std::collections::BTreeSet;

use cfn::{Entry, Json, LogicalId, Reference, Template, references, sha256};
use serde_json::json;

/// Identifies everything that a deployment of this API publishes: the API with its policy, and its methods, models, authorizers and
/// responses, as they are in the template. Eight digits are enough to distinguish one deployment of an API from the next.
///
/// A deployment contains the physical IDs of what these refer to, such as a VPC endpoint or a function. So the properties whose change
/// replaces one of those belong to it too.
pub(super) fn fingerprint(template: &Template, api: &LogicalId) -> String {
    let is_of_api =
        |id: &str, entry: &Entry| id == api.as_str() || entry.properties["RestApiId"] == json!({ "Ref": api.as_str() });
    let published = template.resources.iter().filter(|(id, entry)| is_of_api(id, entry));
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for (id, entry) in published {
        seen.insert(id.as_str());
        all.push(json!([id, entry.ty, entry.properties]));
    }
    let mut next = 0;
    while let Some(json) = all.get(next) {
        let mut identities = Vec::new();
        references(json, &mut |reference| {
            let (Reference::Name(id) | Reference::Resource(id, _)) = reference else { return };
            if let Some((id, entry)) = template.resources.get_key_value(id)
                && seen.insert(id)
            {
                identities.push(json!([id, entry.ty, identity(entry)]));
            }
        });
        all.extend(identities);
        next += 1;
    }
    sha256(Json::Array(all).to_string())[..8].to_owned()
}

/// The properties of a resource whose change replaces it, or may replace it.
fn identity(entry: &Entry) -> Vec<Json> {
    let schema = aws::schema(entry.ty);
    let paths = schema.into_iter().flat_map(|schema| schema.replaces_on.iter().chain(schema.may_replace_on));
    paths.map(|path| json!([path, path.split('/').fold(&entry.properties, |json, name| &json[name])])).collect()
}
