//! The connector: tables, partitions and splits for Athena.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use athena_federation::{BlockWriter, Connector, Constraints, Error, Kind, Read, Table, TableName, Value};
use function::Clock;
use tracing::warn;

use crate::day_reader::{Day, DayReader, DayRequest};
use crate::days;
use crate::members::Part;
use crate::records::Records;
use crate::sink::Sink;
use crate::table::{Booleans, DATE, SCHEMA, TABLE, schema};

/// Slack's member analytics.
pub(crate) struct Analytics {
    pub(crate) days: Arc<DayReader>,
    pub(crate) booleans: Booleans,
    /// The number of splits per day.
    pub(crate) parts: u32,
    pub(crate) clock: Clock,
}

/// The property of a split that says which members it reads, if a day has several splits.
const PART: &str = "part";

impl Connector for Analytics {
    const SOURCE_TYPE: &'static str = SCHEMA;

    async fn schemas(&self) -> Result<Vec<String>, Error> {
        Ok(vec![SCHEMA.to_owned()])
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, Error> {
        Ok(if schema == SCHEMA { vec![TABLE.to_owned()] } else { Vec::new() })
    }

    async fn table(&self, name: &TableName) -> Result<Option<Table>, Error> {
        let known = name.schema_name == SCHEMA && name.table_name == TABLE;
        Ok(known.then(|| Table { schema: schema(self.booleans), partition_columns: vec![DATE.to_owned()] }))
    }

    async fn partitions(&self, _: &TableName, constraints: &Constraints) -> Result<RecordBatch, Error> {
        let days = days::days(constraints.column(DATE), days::today(self.clock.now()))?;
        let dates: ArrayRef = Arc::new(StringArray::from_iter_values(days.into_iter().map(days::text)));
        let schema = Schema::new(vec![Field::new(DATE, DataType::Utf8, true)]);
        Ok(RecordBatch::try_new(Arc::new(schema), vec![dates]).expect("the column is text, as its field says"))
    }

    fn splits(
        &self,
        _: &TableName,
        partitions: &RecordBatch,
        row: usize,
    ) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let date = partitions.column_by_name(DATE).and_then(|column| Value::at(column, row).ok().flatten());
        let Some(Value::Text(date)) =
            date.filter(|date| matches!(date, Value::Text(date) if days::parse(date).is_some()))
        else {
            return Err(Error::new(Kind::InvalidRequest, "a partition has no `date` of the form 2026-11-20"));
        };
        let split = |number| {
            let mut properties = BTreeMap::from([(DATE.to_owned(), date.clone())]);
            let part = Part::new(number, self.parts).filter(|_| self.parts > 1);
            properties.extend(part.map(|part| (PART.to_owned(), part.text())));
            properties
        };
        Ok((0..self.parts).map(split).collect())
    }

    async fn read(&self, read: &Read<'_>, rows: &mut BlockWriter<'_>) -> Result<(), Error> {
        let malformed = |name: &str| Error::new(Kind::InvalidRequest, format!("the split has no usable `{name}`"));
        let day = read.properties.get(DATE).and_then(|date| days::parse(date)).ok_or_else(|| malformed(DATE))?;
        let part = match read.properties.get(PART) {
            None => Part::WHOLE,
            Some(part) => Part::parse(part).ok_or_else(|| malformed(PART))?,
        };
        let date = days::text(day);
        let wanted =
            |name: &str| read.schema.column_with_name(name).is_some() || read.constraints.column(name).is_some();
        let records = || Records::new(date.clone(), part, self.booleans, wanted);
        let today = days::today(self.clock.now());
        let request = DayRequest {
            date: &date,
            is_over: day < today,
            deadline: read.deadline,
            account: read.account,
            records: &records,
        };
        match self.days.read(&request, &mut Sink(Some(rows))).await? {
            Day::Complete { .. } => Ok(()),
            Day::Missing if day < days::oldest(today) => Err(Error::new(
                Kind::InvalidRequest,
                format!(
                    "Slack keeps thirteen months, so {date} is no longer available; narrow the predicate on `date`"
                ),
            )),
            Day::Missing => {
                warn!(step = "read", date, "Slack has no file of this day; no rows");
                Ok(())
            }
            Day::Unfinished if days::must_be_finished(read.constraints.column(DATE), day, today) => Err(Error::new(
                Kind::Unavailable,
                format!("Slack has not finished the file of {date} yet; leave that day out, or try again later"),
            )),
            Day::Unfinished => {
                warn!(step = "read", date, "Slack has not finished the file of this day yet; it is left out");
                Ok(())
            }
        }
    }
}
