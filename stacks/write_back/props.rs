//! What differs between tenants.

use cfn::Json;
use serde::Deserialize;
use serde_json::json;

use super::SYSTEM;
use super::access::Access;
use super::dashboard::DashboardProps;
use super::inputs::Input;
use crate::shared::fields::{Identifier, TopicArn, checked_text, distinct, given, in_range, is_identifier};
use crate::shared::warehouse::{Schema, Warehouse};
use crate::tenancy::Tenancy;

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// Where quotes are written.
    pub warehouse: Warehouse,
    /// The schema of the tables and views; `write_back_<tenant>` if there is none.
    schema: Option<Identifier>,
    /// The rows that quotes are created from.
    pub source: Source,
    /// Who may read the views, in addition to their owner.
    pub readers: Readers,
    /// Further inputs of the form, in its order.
    pub inputs: Vec<Input>,
    /// Whether opening a link writes at once, without the form. This is weaker, since anything that opens links also writes.
    pub write_on_click: bool,
    /// How numbers and dates are written.
    pub locale: Locale,
    /// The currency of costs.
    pub currency: Option<Currency>,
    /// Seconds that a link is valid for, counted from when the dashboard showed it.
    pub token_seconds: u32,
    /// Days after which the signing key is replaced; 0 means never, and then the stack contains nothing that could replace it.
    pub rotation_days: u32,
    /// Who may call the API.
    pub access: Access,
    /// The dashboards, if the stack creates them.
    pub dashboard: Option<DashboardProps>,
    /// The SNS topic that alarms go to.
    pub alarm_topic: Option<TopicArn>,
}

/// [`Props`] as the file has them, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    warehouse: Warehouse,
    #[serde(default, deserialize_with = "given")]
    schema: Option<Identifier>,
    source: Source,
    #[serde(default, deserialize_with = "given")]
    readers: Readers,
    #[serde(default, deserialize_with = "given")]
    inputs: Vec<Input>,
    #[serde(default)]
    write_on_click: bool,
    #[serde(default = "default_locale")]
    locale: Locale,
    #[serde(default, deserialize_with = "given")]
    currency: Option<Currency>,
    #[serde(default = "half_an_hour")]
    token_seconds: u32,
    #[serde(default = "thirty")]
    rotation_days: u32,
    #[serde(default, deserialize_with = "given")]
    access: Access,
    #[serde(default, deserialize_with = "given")]
    dashboard: Option<DashboardProps>,
    #[serde(default, deserialize_with = "given")]
    alarm_topic: Option<TopicArn>,
}

fn half_an_hour() -> u32 {
    1800
}

fn thirty() -> u32 {
    30
}

impl Props {
    /// The longest lifetime of a link: if a dataset is in SPICE, its links are as old as its last refresh.
    const LONGEST_TOKEN: u32 = 31 * 24 * 60 * 60;
    /// Seconds for which functions keep the keys they have read.
    const CACHE_SECONDS: u32 = 300;
    /// Most characters of the inputs as JSON: Lambda gives 4 KB to all of a function's variables.
    const MOST_TEXT: usize = 2000;
    /// Most inputs of a form.
    const MOST_INPUTS: usize = 20;

    /// The schema of the tables and views.
    pub(super) fn schema(&self, tenancy: &Tenancy) -> String {
        self.schema.as_ref().map_or_else(|| tenancy.warehouse_name(SYSTEM.name), |schema| schema.as_str().to_owned())
    }

    /// The schema, unless the warehouse is the stack's own.
    pub(crate) fn schema_of(&self, tenancy: &Tenancy) -> Option<Schema> {
        Schema::new(SYSTEM.name, &self.warehouse, self.schema(tenancy))
    }

    /// The inputs as write-back-api reads them.
    pub(super) fn inputs_for_api(&self) -> String {
        Json::from_iter(self.inputs.iter().map(Input::for_api)).to_string()
    }
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let token_seconds = in_range("`token_seconds`", fields.token_seconds, 60..=Self::LONGEST_TOKEN)?;
        let rotation_days = in_range("`rotation_days`", fields.rotation_days, 0..=1000)?;
        if rotation_days > 0 && rotation_days * 24 * 60 * 60 <= token_seconds + Self::CACHE_SECONDS {
            return Err(format!(
                "links are valid for {token_seconds} seconds and the key for {rotation_days} days; \
                 a link must expire before the key that follows its own: raise `rotation_days`, or lower `token_seconds`"
            ));
        }
        if let Some(twice) = fields
            .inputs
            .iter()
            .enumerate()
            .find(|(i, input)| fields.inputs[..*i].iter().any(|earlier| earlier.name == input.name))
        {
            return Err(format!("the input `{}` appears twice; remove one", twice.1.name.as_str()));
        }
        if fields.inputs.len() > Self::MOST_INPUTS {
            let count = fields.inputs.len();
            return Err(format!("`inputs` has {count} inputs; must be at most {}", Self::MOST_INPUTS));
        }
        let props = Self {
            warehouse: fields.warehouse,
            schema: fields.schema,
            source: fields.source,
            readers: fields.readers,
            inputs: fields.inputs,
            write_on_click: fields.write_on_click,
            locale: fields.locale,
            currency: fields.currency,
            token_seconds,
            rotation_days,
            access: fields.access,
            dashboard: fields.dashboard,
            alarm_topic: fields.alarm_topic,
        };
        let length = props.inputs_for_api().len();
        if length > Self::MOST_TEXT {
            return Err(format!("`inputs` has {length} characters as JSON; must be at most {}", Self::MOST_TEXT));
        }
        if let (Some(dashboard), Warehouse::Made { .. }) = (&props.dashboard, &props.warehouse)
            && dashboard.vpc_connection.is_none()
        {
            return Err("a warehouse that the stack creates is not public; name the `vpc_connection` through which QuickSight reaches it".to_owned());
        }
        Ok(props)
    }
}

/// The rows that quotes are created from, and their columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    table: TableName,
    customer: Identifier,
    skill: Identifier,
    cost: Identifier,
}

impl Source {
    pub(super) fn json(&self) -> Json {
        json!({
            "Table": self.table.as_str(),
            "Customer": self.customer.as_str(),
            "Skill": self.skill.as_str(),
            "Cost": self.cost.as_str(),
        })
    }
}

/// Who may read the views.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Readers {
    #[serde(deserialize_with = "distinct")]
    groups: Vec<Reader>,
    #[serde(deserialize_with = "distinct")]
    users: Vec<Reader>,
    #[serde(deserialize_with = "distinct")]
    roles: Vec<Reader>,
}

impl Readers {
    pub(super) fn json(&self) -> Json {
        let texts = |list: &[Reader]| Json::from_iter(list.iter().map(Reader::as_str));
        json!({ "Groups": texts(&self.groups), "Users": texts(&self.users), "Roles": texts(&self.roles) })
    }
}

checked_text! {
    /// A table with its schema.
    pub(super) TableName, |text: &str| {
        if text.split_once('.').is_some_and(|(schema, table)| is_identifier(schema) && is_identifier(table)) {
            return Ok(());
        }
        Err(format!("`{text}` is not a table; must be <schema>.<table>, as in sales.rates"))
    }
}

checked_text! {
    /// A group, a user or a role of Redshift.
    pub(super) Reader, |text: &str| {
        if (1..=128).contains(&text.len()) && !text.contains(|c: char| c.is_control() || c == '"') {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid reader; use 1 to 128 characters without `\"`"))
    }
}

checked_text! {
    /// A language, optionally with a country, such as `de-DE`.
    pub Locale, |text: &str| {
        let (language, country) = text.split_once('-').unwrap_or((text, "XX"));
        let fits = language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        if fits {
            return Ok(());
        }
        Err(format!("`{text}` is not a locale; use a language, or a language and a country, as in de-DE"))
    }
}

fn default_locale() -> Locale {
    Locale::try_from("en-US".to_owned()).expect("the default is a locale")
}

checked_text! {
    /// A currency of ISO 4217.
    pub Currency, |text: &str| {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(());
        }
        Err(format!("`{text}` is not a currency; use its three letters in ISO 4217, as in EUR"))
    }
}
