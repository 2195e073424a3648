//! The enums of one resource type, and their names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::names;
use crate::specification::{Limits, Property, Resource, Type};

/// A longer set is a list that AWS extends all the time (time zones, regions, languages): it stays unchecked text.
const MOST_VALUES: usize = 64;

/// The enums of one resource type.
#[derive(Default)]
pub struct Enums<'a> {
    /// Rust name to values.
    pub definitions: BTreeMap<String, &'a BTreeSet<String>>,
    uses: BTreeMap<(Option<&'a str>, &'a str), String>,
}

impl<'a> Enums<'a> {
    /// Finds and names them. An enum has the name of its property, preceded by the property type if the name would be ambiguous.
    ///
    /// # Errors
    ///
    /// If two sets still have the same name.
    pub fn of(ty: &'a str, resource: &'a Resource, taken: &BTreeSet<String>) -> Result<Self> {
        let mut groups: BTreeMap<String, Vec<Use<'a>>> = BTreeMap::new();
        let own = resource.properties.iter().map(|(name, property)| (None, name, property));
        let inner = resource.types.iter().flat_map(|(owner, properties)| {
            properties.iter().map(move |(name, property)| (Some(owner.as_str()), name, property))
        });
        for (owner, name, property) in own.chain(inner) {
            if let Some((values, in_list)) = set(property) {
                let item = if in_list { names::singular(name) } else { name };
                groups.entry(names::camel(item, "Value")).or_default().push(Use { owner, name, item, values });
            }
        }

        let mut enums = Self::default();
        for (name, uses) in groups {
            let one_meaning = uses.iter().all(|used| used.values == uses[0].values) && !taken.contains(&name);
            for used in uses {
                let owner = used.owner.unwrap_or(names::short(ty));
                let name = if one_meaning { name.clone() } else { names::camel(&format!("{owner}_{}", used.item), "") };
                if taken.contains(&name)
                    || enums.definitions.insert(name.clone(), used.values).is_some_and(|same| same != used.values)
                {
                    bail!("{ty}: two types would be named {name}");
                }
                enums.uses.insert((used.owner, used.name), name);
            }
        }
        Ok(enums)
    }

    /// The enum of a property (in a property type, or in the resource).
    pub fn name(&self, owner: Option<&'a str>, property: &'a str) -> Option<&str> {
        self.uses.get(&(owner, property)).map(String::as_str)
    }
}

struct Use<'a> {
    owner: Option<&'a str>,
    name: &'a str,
    item: &'a str,
    values: &'a BTreeSet<String>,
}

/// The set of strings that a property may have, and whether it contains a list of them.
fn set(property: &Property) -> Option<(&BTreeSet<String>, bool)> {
    fn inside<'a>(ty: &Type, limits: &'a Limits, in_list: bool) -> Option<(&'a BTreeSet<String>, bool)> {
        match ty {
            Type::String if (1..=MOST_VALUES).contains(&limits.values.len()) => Some((&limits.values, in_list)),
            Type::List(item) | Type::Map(item) => inside(item, limits.items.as_deref()?, true),
            Type::Union(_) => inside(ty.simplified(), limits, in_list),
            _ => None,
        }
    }
    inside(&property.ty, &property.limits, false)
}

/// The variants for a set of values, in the order of the values.
///
/// Values that differ only in capitals or symbols keep their own capitals; if they are still equal, they are numbered.
pub fn variants(values: &BTreeSet<String>) -> Vec<(String, &str)> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for value in values {
        *count.entry(names::variant(value)).or_default() += 1;
    }
    let mut used = BTreeSet::new();
    let mut name = |value: &str| {
        let plain = names::variant(value);
        let mut name = if count[&plain] == 1 { plain } else { names::verbatim_variant(value) };
        let mut number = 2;
        while !used.insert(name.clone()) {
            name = format!("{}{number}", names::variant(value));
            number += 1;
        }
        name
    };
    values.iter().map(|value| (name(value), value.as_str())).collect()
}

/// The enum in Rust, unformatted.
pub fn definition(ty: &str, name: &str, variants: &[(String, &str)]) -> String {
    let lines = |line: &dyn Fn(&str, &str) -> String| -> String {
        variants.iter().map(|(variant, value)| line(variant, value)).collect()
    };
    let declarations = lines(&|variant, value| format!("/// {}.\n{variant},\n", quoted(value)));
    let spellings = lines(&|variant, value| format!("Self::{variant} => {value:?},\n"));
    // Without PartialEq: values are written to templates and never compared, and 3,600 implementations would be a tenth of the time to
    // compile all types.
    format!(
        "
        /// Values of a property of `{ty}`; [`cfn::Value::raw`] takes one that is newer than these.
        #[derive(Clone, Copy, Debug)]
        pub enum {name} {{
            {declarations}
        }}

        impl {name} {{
            /// The value as CloudFormation spells it.
            pub const fn as_str(self) -> &'static str {{
                match self {{
                    {spellings}
                }}
            }}
        }}

        impl cfn::Literal for {name} {{
            fn into_value(self) -> cfn::Value<Self> {{
                cfn::Value::raw(self.as_str())
            }}
        }}
        "
    )
}

fn quoted(value: &str) -> String {
    if value.trim().is_empty() || value.contains('`') { format!("{value:?}") } else { format!("`{value}`") }
}
