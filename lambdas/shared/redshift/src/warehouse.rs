//! Which warehouse to use, and as which user.

use std::fmt;

use function::{Invalid, required};
use serde::Deserialize;

/// A database of a Serverless workgroup or of a provisioned cluster, and the identity to use.
///
/// From JSON: `{"workgroup":"w","database":"d"}` or `{"cluster":"c","database":"d","dbUser":"u"}`, each with an optional
/// `"secret"`, the ARN of a secret with user and password, instead of temporary credentials. Without `dbUser` and `secret`,
/// the user is the caller's IAM identity, `IAMR:<role name>`. Keys may also be capitalized, as CloudFormation's are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Warehouse {
    pub(crate) place: Place,
    pub(crate) database: String,
    pub(crate) secret: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Workgroup(String),
    Cluster { name: String, user: Option<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(alias = "Workgroup")]
    workgroup: Option<String>,
    #[serde(alias = "Cluster")]
    cluster: Option<String>,
    #[serde(alias = "Database")]
    database: String,
    #[serde(alias = "DbUser", rename = "dbUser")]
    user: Option<String>,
    #[serde(alias = "Secret")]
    secret: Option<String>,
}

impl Warehouse {
    /// Reads the environment variable `WAREHOUSE`, JSON.
    ///
    /// # Errors
    ///
    /// If it is missing or malformed; the message names it.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Warehouse, Invalid> {
        serde_json::from_str(&required(variable, "WAREHOUSE")?).map_err(|error| Invalid(format!("WAREHOUSE: {error}")))
    }

    /// The warehouse and its database: `workgroup:w/d` or `cluster:c/d`.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Workgroup(name) => format!("workgroup:{name}/{}", self.database),
            Place::Cluster { name, .. } => format!("cluster:{name}/{}", self.database),
        }
    }
}

/// A warehouse that the Data API could not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidWarehouse(&'static str);

impl fmt::Display for InvalidWarehouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidWarehouse {}

impl TryFrom<Written> for Warehouse {
    type Error = InvalidWarehouse;

    fn try_from(written: Written) -> Result<Warehouse, InvalidWarehouse> {
        // CloudFormation passes an empty parameter as an empty string.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (user, secret) = (given(written.user), given(written.secret));
        let place = match (given(written.workgroup), given(written.cluster)) {
            (Some(name), None) => Place::Workgroup(name),
            (None, Some(name)) => Place::Cluster { name, user: user.clone() },
            _ => {
                return Err(InvalidWarehouse(
                    "the warehouse must be either a `workgroup` or a `cluster`; set exactly one",
                ));
            }
        };
        if user.is_some() && matches!(place, Place::Workgroup(_)) {
            return Err(InvalidWarehouse("a workgroup accepts no `dbUser`; remove it or set a `secret`"));
        }
        if user.is_some() && secret.is_some() {
            return Err(InvalidWarehouse("the warehouse has both `dbUser` and `secret`; set only one"));
        }
        let database = given(Some(written.database));
        let database = database.ok_or(InvalidWarehouse("the warehouse has no `database`; set one"))?;
        Ok(Warehouse { place, database, secret })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn read(value: Value) -> Result<Warehouse, String> {
        from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn both_kinds_are_read_in_both_spellings() {
        let workgroup = Warehouse { place: Place::Workgroup("w".to_owned()), database: "d".to_owned(), secret: None };
        assert_eq!(read(json!({"workgroup": "w", "database": "d"})), Ok(workgroup.clone()));
        assert_eq!(read(json!({"Workgroup": "w", "Database": "d", "Cluster": "", "Secret": ""})), Ok(workgroup));
        let place = Place::Cluster { name: "c".to_owned(), user: Some("u".to_owned()) };
        let cluster = Warehouse { place, database: "d".to_owned(), secret: None };
        assert_eq!(read(json!({"cluster": "c", "database": "d", "dbUser": "u"})), Ok(cluster));
    }

    #[test]
    fn a_warehouse_that_the_data_api_would_reject_is_rejected_here() {
        for (written, problem) in [
            (json!({"database": "d"}), "exactly one"),
            (json!({"workgroup": "w", "cluster": "c", "database": "d"}), "exactly one"),
            (json!({"workgroup": "w", "database": "d", "dbUser": "u"}), "accepts no `dbUser`"),
            (json!({"cluster": "c", "database": "d", "dbUser": "u", "secret": "s"}), "both"),
            (json!({"workgroup": "w", "database": ""}), "no `database`"),
            (json!({"workgroup": "w", "database": "d", "port": 1}), "unknown field"),
        ] {
            let message = read(written).unwrap_err();
            assert!(message.contains(problem), "{message}");
        }
    }
}
