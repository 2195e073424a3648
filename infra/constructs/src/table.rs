//! DynamoDB tables.

use aws::dynamodb::table::{
    self, AttributeDefinition, AttributeDefinitionRequired, AttributeType, GlobalSecondaryIndex,
    GlobalSecondaryIndexRequired, KeySchema, KeySchemaRequired, PointInTimeRecoverySpecification, Projection,
    ProjectionType, SseSpecification, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};
use cfn::intrinsic::sub;
use cfn::{Attributes, Construct, Referable, Scope, Value};

use crate::grant::Grant;

/// A table with a string key, paid per request, encrypted, with 35 days of point-in-time recovery. It is kept when its stack is deleted,
/// unless it is [`Table::disposable`].
///
/// It has no deletion protection: CloudFormation could not delete it when the first deployment of its stack fails, and the next attempt
/// would leave a second table behind. If it is deleted by mistake, DynamoDB keeps a backup for 35 days.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html>
#[derive(Clone, Debug)]
pub struct Table {
    key: &'static str,
    sort: Option<&'static str>,
    index: Option<Index>,
    expires: Option<&'static str>,
    stream: bool,
    disposable: bool,
}

/// An index of the items that have both of its keys.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// The string attribute that is its partition key.
    pub key: &'static str,
    /// The number attribute that it is sorted by.
    pub sort: &'static str,
}

impl Table {
    /// A table whose partition key is the string attribute `key`.
    pub fn new(key: &'static str) -> Self {
        Self { key, sort: None, index: None, expires: None, stream: false, disposable: false }
    }

    /// The string attribute that sorts the items of one partition key.
    #[must_use]
    pub fn sort(mut self, attribute: &'static str) -> Self {
        self.sort = Some(attribute);
        self
    }

    /// Adds an index with whole items.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.index = Some(index);
        self
    }

    /// Deletes items some time after the moment in this attribute, in seconds since 1970.
    #[must_use]
    pub fn expires(mut self, attribute: &'static str) -> Self {
        self.expires = Some(attribute);
        self
    }

    /// Makes every change readable for 24 hours, with the item as it is afterwards.
    #[must_use]
    pub fn stream(mut self) -> Self {
        self.stream = true;
        self
    }

    /// Deletes the data with the stack.
    #[must_use]
    pub fn disposable(mut self) -> Self {
        self.disposable = true;
        self
    }
}

impl Construct for Table {
    type Ref = TableRef;

    fn add_to(self, scope: &mut Scope<'_>) -> TableRef {
        let strings = [Some(self.key), self.sort, self.index.map(|index| index.key)].into_iter().flatten();
        let numbers = self.index.map(|index| index.sort);
        let attributes: Vec<_> = strings
            .map(|name| attribute(name, AttributeType::S))
            .chain(numbers.map(|name| attribute(name, AttributeType::N)))
            .collect();
        let mut table = table::Table::new(key_schema(self.key, self.sort))
            .attribute_definitions(attributes)
            .billing_mode(table::BillingMode::PayPerRequest)
            .sse_specification(SseSpecification::new(true))
            .point_in_time_recovery_specification(
                PointInTimeRecoverySpecification::new().point_in_time_recovery_enabled(true),
            )
            .deletion_protection_enabled(false);
        if let Some(index) = self.index {
            table = table.global_secondary_indexes([GlobalSecondaryIndex::new(GlobalSecondaryIndexRequired {
                index_name: index.name.into(),
                key_schema: key_schema(index.key, Some(index.sort)).into(),
                projection: Projection::new().projection_type(ProjectionType::All).into(),
            })]);
        }
        if let Some(attribute) = self.expires {
            table = table.time_to_live_specification(TimeToLiveSpecification::new(true).attribute_name(attribute));
        }
        if self.stream {
            table = table.stream_specification(StreamSpecification::new(StreamViewType::NewImage));
        }
        TableRef(scope.add_here(if self.disposable { table.disposable() } else { table.retain() }))
    }
}

fn attribute(name: &str, ty: AttributeType) -> AttributeDefinition {
    AttributeDefinition::new(AttributeDefinitionRequired { attribute_name: name.into(), attribute_type: ty.into() })
}

fn key_schema(key: &str, sort: Option<&str>) -> Vec<KeySchema> {
    let part =
        |name: &str, ty: &str| KeySchema::new(KeySchemaRequired { attribute_name: name.into(), key_type: ty.into() });
    [Some(part(key, "HASH")), sort.map(|name| part(name, "RANGE"))].into_iter().flatten().collect()
}

/// A table in a stack.
#[derive(Clone, Debug)]
pub struct TableRef(table::TableRef);

impl TableRef {
    /// The table's name.
    pub fn name(&self) -> Value<String> {
        self.0.reference()
    }

    /// The ARN of its stream; only for a table with [`Table::stream`].
    pub fn stream_arn(&self) -> Value<String> {
        self.0.stream_arn()
    }

    /// The right to perform `actions`, such as `dynamodb:GetItem`, on its items.
    pub fn grant(&self, actions: impl Into<Vec<&'static str>>) -> Grant {
        Grant::new(actions, [self.0.arn()])
    }

    /// The right to query one of its indexes.
    pub fn grant_query_index(&self, name: &'static str) -> Grant {
        Grant::new(["dynamodb:Query"], [sub(format!("${{{}.Arn}}/index/{name}", self.0.logical_id()))])
    }

    /// The rights that Lambda needs to read its stream.
    pub fn grant_read_stream(&self) -> Grant {
        let actions =
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
        Grant::new(actions, [self.stream_arn()])
    }
}
