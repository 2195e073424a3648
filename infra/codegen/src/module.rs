//! The Rust module of one resource type.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::counts::Counts;
use crate::enums::{self, Enums};
use crate::names::{camel, short, snake};
use crate::specification::{Properties, Property, Resource, Type};
use crate::{attributes, constraint, docs};

/// The text of a resource type's module, unformatted.
///
/// # Errors
///
/// If two things would have the same name in Rust.
pub fn module(ty: &str, resource: &Resource, counts: &mut Counts) -> Result<String> {
    let mut writer = Writer::new(ty, resource)?;
    writer.resource(counts);
    for (name, properties) in &resource.types {
        writer.property_type(name, properties, counts)?;
    }
    writer.setter_clash("the resource", &resource.properties)?;
    writer.enums(counts);
    Ok(format!("/// [`{ty}`]({}).\npub mod {} {{\n{}}}\n", docs::link(ty), snake(short(ty)), writer.text.trim_start()))
}

struct Writer<'a> {
    ty: &'a str,
    resource: &'a Resource,
    name: String,
    /// Property types by CloudFormation's name.
    types: BTreeMap<&'a str, String>,
    enums: Enums<'a>,
    text: String,
}

impl<'a> Writer<'a> {
    fn new(ty: &'a str, resource: &'a Resource) -> Result<Self> {
        let name = camel(short(ty), "Resource");
        let mut taken = BTreeSet::from(["Required".to_owned(), name.clone(), format!("{name}Ref")]);
        let mut types = BTreeMap::new();
        for (cfn_name, properties) in &resource.types {
            let mut rust_name = camel(cfn_name, "Property");
            if rust_name == name || rust_name == format!("{name}Ref") {
                rust_name += "Property";
            }
            ensure!(taken.insert(rust_name.clone()), "{ty}: two types would be named {rust_name}");
            if required(properties).count() > 1 {
                let named = format!("{rust_name}Required");
                ensure!(taken.insert(named.clone()), "{ty}: two types would be named {named}");
            }
            types.insert(cfn_name.as_str(), rust_name);
        }
        let enums = Enums::of(ty, resource, &taken)?;
        Ok(Self { ty, resource, name, types, enums, text: String::new() })
    }

    fn resource(&mut self, counts: &mut Counts) {
        let Self { ty, resource, name, .. } = self;
        let (ty, resource, name) = (*ty, *resource, name.clone());
        counts.types += 1;
        let about = if resource.stateful { " It holds data." } else { "" };
        let documentation = format!("`{ty}`.{about} [Reference]({}).", docs::link(ty));
        self.structure(None, &name, "Required", &documentation, &resource.properties, counts);
        self.put(format_args!(
            "impl cfn::Resource for {name} {{
                const TYPE: &'static str = {ty:?};
                const STATEFUL: bool = {};
                type Ref = {name}Ref;

                fn into_properties(self) -> cfn::Properties {{
                    self.0
                }}
            }}

            ",
            resource.stateful,
        ));
        self.reference(&name, counts);
    }

    /// What adding the resource to a stack returns.
    fn reference(&mut self, name: &str, counts: &mut Counts) {
        let resource = self.resource;
        self.put(format_args!(
            "
            /// A [`{name}`] in a stack.
            #[derive(Clone, Debug)]
            pub struct {name}Ref(cfn::LogicalId);

            impl {name}Ref {{
                /// {}
                pub fn reference(&self) -> cfn::Value<String> {{
                    cfn::Value::reference(&self.0)
                }}
            ",
            docs::reference(&resource.reference),
        ));
        for (method, (attribute, ty)) in attributes::methods(resource) {
            counts.attributes += 1;
            self.put(format_args!(
                "
                /// `{attribute}`.
                pub fn {method}(&self) -> cfn::Value<{}> {{
                    cfn::Value::get_att(&self.0, {attribute:?})
                }}
                ",
                attributes::type_of(ty),
            ));
        }
        self.put(format_args!(
            "}}

            impl From<cfn::LogicalId> for {name}Ref {{
                fn from(id: cfn::LogicalId) -> Self {{
                    Self(id)
                }}
            }}

            impl cfn::Referable for {name}Ref {{
                fn logical_id(&self) -> &cfn::LogicalId {{
                    &self.0
                }}
            }}
            "
        ));
    }

    fn property_type(&mut self, cfn_name: &'a str, properties: &'a Properties, counts: &mut Counts) -> Result<()> {
        counts.property_types += 1;
        let name = self.types[cfn_name].clone();
        let documentation = format!("`{cfn_name}` of `{}`.", self.ty);
        self.setter_clash(cfn_name, properties)?;
        self.structure(Some(cfn_name), &name, &format!("{name}Required"), &documentation, properties, counts);
        self.put(format_args!(
            "impl cfn::Literal for {name} {{
                fn into_value(self) -> cfn::Value<Self> {{
                    self.0.into_value()
                }}
            }}
            "
        ));
        Ok(())
    }

    /// The newtype, its constructor and setters.
    fn structure(
        &mut self,
        owner: Option<&'a str>,
        name: &str,
        required_name: &str,
        documentation: &str,
        properties: &'a Properties,
        counts: &mut Counts,
    ) {
        let required: Vec<_> = required(properties).collect();
        let derives = if required.is_empty() { "Clone, Debug, Default" } else { "Clone, Debug" };
        self.put(format_args!(
            "
            /// {documentation}
            #[derive({derives})]
            #[must_use]
            pub struct {name}(cfn::Properties);
            "
        ));
        if required.len() > 1 {
            self.put(format_args!("\n/// What every [`{name}`] needs.\npub struct {required_name} {{\n"));
            for (cfn_name, property) in &required {
                let ty = self.value_type(owner, cfn_name, &property.ty);
                let about = docs::field(cfn_name, property);
                self.put(format_args!("/// {about}\npub {}: cfn::Value<{ty}>,\n", snake(cfn_name)));
            }
            self.put(format_args!("}}\n"));
        }
        self.put(format_args!("\nimpl {name} {{\n"));
        self.constructor(owner, required_name, &required);
        for (cfn_name, property) in properties {
            self.setter(owner, cfn_name, property, counts);
        }
        self.put(format_args!(
            "
                /// Sets a property to JSON without checks: for values that these bindings do not know, or reject.
                pub fn with_raw(self, name: &str, json: impl Into<cfn::Json>) -> Self {{
                    Self(self.0.set_raw(name, json))
                }}
            }}

            "
        ));
    }

    fn constructor(&mut self, owner: Option<&'a str>, required_name: &str, required: &[(&'a String, &'a Property)]) {
        let checked = required.iter().any(|(name, property)| self.constraint(owner, name, property).is_some());
        let track = if checked { "#[track_caller]\n" } else { "" };
        match required {
            [] => self.put(format_args!(
                "/// With nothing set.
                pub fn new() -> Self {{
                    Self::default()
                }}
                "
            )),
            [(name, property)] => {
                let (ty, about, name) =
                    (self.value_type(owner, name, &property.ty), docs::field(name, property), snake(name));
                self.put(format_args!(
                    "/// With the one property it needs, {about}
                    {track}pub fn new({name}: impl Into<cfn::Value<{ty}>>) -> Self {{
                        Self(cfn::Properties::default()).{}({name})
                    }}
                    ",
                    setter_name(&name),
                ));
            }
            _ => {
                let calls: String = required
                    .iter()
                    .map(|(name, _)| (setter_name(&snake(name)), snake(name)))
                    .map(|(setter, field)| format!(".{setter}(required.{field})"))
                    .collect();
                self.put(format_args!(
                    "/// With the properties it needs.
                    {track}pub fn new(required: {required_name}) -> Self {{
                        Self(cfn::Properties::default()){calls}
                    }}
                    "
                ));
            }
        }
    }

    fn setter(&mut self, owner: Option<&'a str>, cfn_name: &'a str, property: &'a Property, counts: &mut Counts) {
        counts.properties += 1;
        let name = setter_name(&snake(cfn_name));
        let ty = self.value_type(owner, cfn_name, &property.ty);
        let about = docs::property(cfn_name, property);
        match self.constraint(owner, cfn_name, property) {
            None => self.put(format_args!(
                "
                /// {about}
                pub fn {name}(self, value: impl Into<cfn::Value<{ty}>>) -> Self {{
                    Self(self.0.set({cfn_name:?}, value))
                }}
                "
            )),
            Some(constraint) => {
                counts.constraints += 1;
                self.put(format_args!(
                    "
                    /// {about}
                    #[track_caller]
                    pub fn {name}(self, value: impl Into<cfn::Value<{ty}>>) -> Self {{
                        Self(self.0.set_checked({cfn_name:?}, value, &{constraint}))
                    }}
                    "
                ));
            }
        }
    }

    fn enums(&mut self, counts: &mut Counts) {
        for (name, values) in std::mem::take(&mut self.enums.definitions) {
            let variants = enums::variants(values);
            counts.enums += 1;
            counts.values += variants.len();
            self.put(format_args!("{}", enums::definition(self.ty, &name, &variants)));
        }
    }

    /// The `T` of a property's `Value<T>`.
    fn value_type(&self, owner: Option<&'a str>, name: &'a str, ty: &Type) -> String {
        match ty.simplified() {
            Type::String => self.enums.name(owner, name).unwrap_or("String").to_owned(),
            Type::Integer => "i64".to_owned(),
            Type::Number => "f64".to_owned(),
            Type::Boolean => "bool".to_owned(),
            Type::Tag => "crate::Tag".to_owned(),
            Type::List(item) => format!("Vec<{}>", self.value_type(owner, name, item)),
            Type::Map(item) => {
                format!("std::collections::BTreeMap<String, {}>", self.value_type(owner, name, item))
            }
            Type::Property(name) => self.types[name.as_str()].clone(),
            Type::Json | Type::Union(_) => "cfn::Json".to_owned(),
        }
    }

    /// The constraint of a property as a Rust expression, if anything remains to be checked at synth.
    fn constraint(&self, owner: Option<&'a str>, name: &'a str, property: &Property) -> Option<String> {
        constraint::expression(&property.limits, self.enums.name(owner, name).is_some())
    }

    fn setter_clash(&self, of: &str, properties: &Properties) -> Result<()> {
        let mut setters = BTreeSet::new();
        for name in properties.keys() {
            let setter = setter_name(&snake(name));
            ensure!(!setters.contains(&setter), "{}: two setters of {of} would be named {setter}", self.ty);
            setters.insert(setter);
        }
        Ok(())
    }

    /// Appends text without its indentation in this source.
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        for line in text.to_string().split_inclusive('\n') {
            self.text += line.trim_start_matches(' ');
        }
    }
}

fn required(properties: &Properties) -> impl Iterator<Item = (&String, &Property)> {
    properties.iter().filter(|(_, property)| property.required)
}

/// A setter must not have the name of a constructor or of a method that every structure has.
fn setter_name(field: &str) -> String {
    match field {
        "new" | "with_raw" | "clone" | "default" | "into" => format!("{field}_"),
        _ => field.to_owned(),
    }
}
