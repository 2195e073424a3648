//! Arguments that contradict what they are used with: defaults of parameters, keys of mappings, positions in lists.

use regex_lite::Regex;

use super::{Use, located};
use crate::{Finding, Json, Reference, Template};

pub(super) fn check(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = template
        .parameters
        .iter()
        .filter_map(|(name, parameter)| default(parameter).map(|message| Finding::error(name, message)))
        .collect();
    findings.extend(hidden_outputs(template, uses));
    for (id, entry) in &template.resources {
        calls(&entry.properties, &mut |function, arguments| {
            let message = match function {
                "Fn::FindInMap" => key_of_mapping(template, arguments),
                "Fn::Select" => position(arguments),
                "Fn::Sub" => unused_variable(arguments),
                _ => None,
            };
            findings.extend(message.map(|message| located(template, id, message)));
        });
    }
    findings
}

/// What is wrong with the default of a parameter.
fn default(parameter: &Json) -> Option<String> {
    let default = parameter.get("Default")?;
    let text = match default {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if parameter["Type"] == "Number" && text.parse::<f64>().is_err() {
        return Some(format!("the default is {text:?}; must be a number"));
    }
    if let Some(values) = parameter["AllowedValues"].as_array()
        && !values.contains(default)
    {
        let values: Vec<&str> = values.iter().filter_map(Json::as_str).collect();
        return Some(format!("the default is {text:?}; must be one of {}", values.join(", ")));
    }
    let pattern = parameter["AllowedPattern"].as_str()?;
    let whole = Regex::new(&format!("^(?:{pattern})$")).ok()?;
    (!whole.is_match(&text)).then(|| format!("the default is {text:?}; must match {pattern}"))
}

/// An output shows a parameter that is to be kept out of the console.
fn hidden_outputs(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let of_outputs = uses.iter().filter(|used| used.from.is_none() && template.outputs.contains_key(used.subject));
    let hidden = of_outputs.filter_map(|used| match used.reference {
        Reference::Name(name) => Some((used.subject, name))
            .filter(|_| template.parameters.get(name).is_some_and(|parameter| parameter["NoEcho"] == true)),
        _ => None,
    });
    let report = |(subject, name)| {
        Finding::error(subject, format!("shows the parameter {name}, which has NoEcho; remove the output"))
    };
    hidden.map(report).collect()
}

fn calls<'a>(json: &'a Json, found: &mut impl FnMut(&str, &'a [Json])) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| calls(item, found)),
        Json::Object(map) => {
            for (key, value) in map {
                if let Json::Array(arguments) = value
                    && map.len() == 1
                {
                    found(key, arguments);
                }
                calls(value, found);
            }
        }
        _ => {}
    }
}

fn key_of_mapping(template: &Template, arguments: &[Json]) -> Option<String> {
    let [name, key, second_key] = arguments else { return None };
    let name = name.as_str()?;
    let rows = template.mappings.get(name)?.as_object()?;
    let keys = |map: &serde_json::Map<String, Json>| map.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(key) = key.as_str()
        && !rows.contains_key(key)
    {
        return Some(format!("reads {key:?} of the mapping {name}, which has {}", keys(rows)));
    }
    let second_key = second_key.as_str()?;
    // With a key that is known at deployment only, every row must have the second key.
    let read = rows.iter().filter(|(row, _)| key.as_str().is_none_or(|key| key == *row));
    let (row, columns) = read
        .filter_map(|(row, columns)| Some((row, columns.as_object()?)))
        .find(|(_, columns)| !columns.contains_key(second_key))?;
    Some(format!("reads {second_key:?} of {row} in the mapping {name}, which has {}", keys(columns)))
}

fn unused_variable(arguments: &[Json]) -> Option<String> {
    let [Json::String(text), Json::Object(variables)] = arguments else { return None };
    let unused = variables.keys().find(|name| !text.contains(&format!("${{{name}}}")))?;
    Some(format!("gives `sub` the variable {unused}, which {text:?} does not contain; remove it"))
}

fn position(arguments: &[Json]) -> Option<String> {
    let [index, Json::Array(items)] = arguments else { return None };
    let index = index.as_u64().or_else(|| index.as_str()?.parse().ok())?;
    (index >= items.len() as u64).then(|| {
        format!(
            "selects item {index} of a list with {} items; must be 0 to {}",
            items.len(),
            items.len().saturating_sub(1)
        )
    })
}
