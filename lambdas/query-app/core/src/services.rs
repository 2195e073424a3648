//! The services that all functions of the query app use.

use aws_types::SdkConfig;
use function::{Clock, Invalid, aws, required};
use redshift::{DataApi, Warehouse};

use crate::table::Table;

/// The table and the warehouse named in the environment.
pub struct Services {
    table: String,
    warehouse: Warehouse,
    dynamodb: SdkConfig,
    redshift_data: SdkConfig,
}

impl Services {
    /// Reads `TABLE` and `WAREHOUSE` (JSON, see [`Warehouse`]), and how to reach them.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Services, Invalid> {
        Ok(Services {
            table: required(variable, "TABLE")?,
            warehouse: Warehouse::read(variable)?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            redshift_data: aws::service(variable, "REDSHIFT_DATA")?,
        })
    }

    /// Both services, without opening connections yet.
    pub fn open(self, clock: &Clock) -> (Table, DataApi) {
        let table = Table::new(aws_sdk_dynamodb::Client::new(&self.dynamodb), self.table, clock.clone());
        let data = aws_sdk_redshiftdata::Client::new(&self.redshift_data);
        (table, DataApi::new(data, self.warehouse, clock.clone()))
    }
}
