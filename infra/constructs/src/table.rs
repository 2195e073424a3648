//! DynamoDB tables.

use crate::grant::Grant;
use aws::dynamodb::table::{
    self, AttributeDefinition, AttributeDefinitionRequired, KeySchema, KeySchemaRequired,
    PointInTimeRecoverySpecification, SseSpecification, TimeToLiveSpecification,
};
use cfn::{Attributes, Construct, Scope, Value};

/// A table with one string key, paid by request, encrypted, with 35 days of point-in-time recovery; it survives its
/// stack unless it is [`Table::disposable`].
#[derive(Clone, Debug)]
pub struct Table {
    key: String,
    expires: Option<String>,
    disposable: bool,
}

impl Table {
    /// A table whose partition key is the string attribute `key`.
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), expires: None, disposable: false }
    }

    /// Items go some time after the moment in this attribute, in seconds since 1970.
    #[must_use]
    pub fn expires(mut self, attribute: &str) -> Self {
        self.expires = Some(attribute.to_owned());
        self
    }

    /// The data may go with the stack.
    #[must_use]
    pub fn disposable(mut self) -> Self {
        self.disposable = true;
        self
    }
}

impl Construct for Table {
    type Ref = TableRef;

    fn add_to(self, scope: &mut Scope<'_>) -> TableRef {
        let key_schema =
            KeySchema::new(KeySchemaRequired { attribute_name: (&self.key).into(), key_type: "HASH".into() });
        let attribute = AttributeDefinition::new(AttributeDefinitionRequired {
            attribute_name: (&self.key).into(),
            attribute_type: table::AttributeType::S.into(),
        });
        let mut table = table::Table::new([key_schema])
            .attribute_definitions([attribute])
            .billing_mode(table::BillingMode::PayPerRequest)
            .sse_specification(SseSpecification::new(true))
            .point_in_time_recovery_specification(
                PointInTimeRecoverySpecification::new().point_in_time_recovery_enabled(true),
            )
            .deletion_protection_enabled(!self.disposable);
        if let Some(attribute) = &self.expires {
            table = table.time_to_live_specification(TimeToLiveSpecification::new(true).attribute_name(attribute));
        }
        TableRef(scope.add_here(if self.disposable { table.disposable() } else { table.retain() }))
    }
}

/// A table in a stack.
#[derive(Clone, Debug)]
pub struct TableRef(table::TableRef);

impl TableRef {
    /// The table's name.
    pub fn name(&self) -> Value<String> {
        self.0.reference()
    }

    /// The right to do `actions`, such as `dynamodb:GetItem`, on its items.
    pub fn grant(&self, actions: impl Into<Vec<&'static str>>) -> Grant {
        Grant::new(actions, [self.0.arn()])
    }
}
