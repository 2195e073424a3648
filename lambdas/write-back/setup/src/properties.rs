//! What the template asks for, checked so that nothing in it can inject SQL.

use redshift::{Warehouse, identifier};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::names::{Names, qualified};

/// The properties, all names quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    pub(crate) warehouse: Warehouse,

    pub(crate) names: Names,
    pub(crate) source: Source,
    /// The name of the Lambda function that signs: `[A-Za-z0-9_-]`.
    pub(crate) sign_function: String,
    pub(crate) sign_role: String,
    /// A URL without quotes or backslashes, to which a token is appended.
    pub(crate) link_base: String,
    /// Unquoted, for parameters.
    pub(crate) writer_name: String,
    pub(crate) inputs: Vec<Input>,
    /// `group "g"`, `"u"`, `role "r"`
    pub(crate) readers: Vec<String>,
}

/// Where the quotes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) table: String,
    pub(crate) customer: String,
    pub(crate) skill: String,
    pub(crate) cost: String,
}

/// One additional input of the form, as a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// Unquoted, for comparison.
    pub(crate) column_name: String,
    pub(crate) column: String,
    pub(crate) kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    warehouse: Warehouse,
    schema: String,
    source: WrittenSource,
    sign: WrittenSign,
    link_base: String,
    writer: String,
    #[serde(default)]
    inputs: Vec<WrittenInput>,
    #[serde(default)]
    readers: WrittenReaders,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenSource {
    table: String,
    customer: String,
    skill: String,
    cost: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenSign {
    function: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenInput {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default, deserialize_with = "number")]
    max_length: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct WrittenReaders {
    groups: Vec<String>,
    users: Vec<String>,
    roles: Vec<String>,
}

impl Properties {
    /// # Errors
    ///
    /// One sentence that names the property.
    pub(crate) fn read(properties: &Value) -> Result<Properties, String> {
        let written: Written = serde_json::from_value(properties.clone())
            .map_err(|error| format!("the properties cannot be read: {error}"))?;
        let named = |property: &str, name: &str| identifier(name).map_err(|error| format!("{property}: {error}"));
        let readers = written.readers;
        let mut granted = Vec::new();
        for (property, keyword, names) in
            [("Groups", "group ", readers.groups), ("Users", "", readers.users), ("Roles", "role ", readers.roles)]
        {
            for name in names {
                granted.push(format!("{keyword}{}", named(&format!("Readers.{property}"), &name)?));
            }
        }
        let is_arn = |text: &str| text.starts_with("arn:aws") && text.contains(":iam::") && text.contains(":role/");
        let is_link = |text: &str| {
            let local = text.starts_with("http://127.0.0.1:") || text.starts_with("http://localhost:");
            text.starts_with("https://") || local
        };
        let of_function = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        let of_arn = |character: char| character.is_ascii_alphanumeric() || ":/+=,.@_-".contains(character);
        let of_link = |character: char| character.is_ascii_alphanumeric() || ":/?&=%.~_-".contains(character);
        identifier(&written.writer).map_err(|error| format!("Writer: {error}"))?;
        Ok(Properties {
            warehouse: written.warehouse,
            names: Names::new(&written.schema).map_err(|error| format!("Schema: {error}"))?,
            source: Source {
                table: qualified(&written.source.table).map_err(|error| format!("Source.Table: {error}"))?,
                customer: named("Source.Customer", &written.source.customer)?,
                skill: named("Source.Skill", &written.source.skill)?,
                cost: named("Source.Cost", &written.source.cost)?,
            },
            sign_function: plain("Sign.Function", written.sign.function, 64, of_function, |_| true)?,
            sign_role: plain("Sign.Role", written.sign.role, 2048, of_arn, is_arn)?,
            link_base: plain("LinkBase", written.link_base, 1024, of_link, is_link)?,
            writer_name: written.writer,
            inputs: written.inputs.into_iter().map(input).collect::<Result<_, _>>()?,
            readers: granted,
        })
    }
}

/// Text that is placed between quotes in SQL, where `'` and `\` have a meaning to Redshift; `allowed` accepts neither.
fn plain(
    property: &str,
    text: String,
    longest: usize,
    allowed: impl Fn(char) -> bool,
    fits: impl Fn(&str) -> bool,
) -> Result<String, String> {
    if !text.is_empty() && text.len() <= longest && text.chars().all(allowed) && fits(&text) {
        Ok(text)
    } else {
        Err(format!("the property {property} is {text:?}, which is malformed or longer than {longest}"))
    }
}

fn input(written: WrittenInput) -> Result<Input, String> {
    let name = &written.name;
    let fits = name.starts_with(|character: char| character.is_ascii_lowercase())
        && name.len() <= 60
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !fits {
        return Err(format!(
            "the input name {name:?} is not valid; must be 1 to 60 of a to z, 0 to 9 and _, starting with a letter"
        ));
    }
    let kind = match written.kind.as_str() {
        // Redshift counts bytes, at most 65,535; a character takes up to four.
        "text" => format!("varchar({})", (written.max_length.unwrap_or(500).clamp(1, 16383)) * 4),
        "integer" => "bigint".to_owned(),
        "decimal" => "decimal(18,4)".to_owned(),
        "date" => "date".to_owned(),
        other => {
            return Err(format!("the input {name} has the type {other:?}; must be text, integer, decimal or date"));
        }
    };
    let column_name = format!("input_{name}");
    let column = identifier(&column_name).map_err(|error| error.to_string())?;
    Ok(Input { column_name, column, kind })
}

/// CloudFormation turns numbers into text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| number.try_into().ok()),
    };
    number.map(Some).ok_or_else(|| D::Error::custom("MaxLength is not a whole number"))
}
