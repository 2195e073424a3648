//! Resources from plain JSON, so that a mistake is written as briefly as in a template.

use cfn::{Json, LogicalId, Properties, Referable, Resource, Stack, Value};

/// A resource of type `T` with these properties, none of which is checked when it is set.
pub(crate) struct Raw<T>(Json, std::marker::PhantomData<T>);

/// A resource type.
pub(crate) trait Type {
    const TYPE: &'static str;
}

/// What adding one returns.
#[derive(Clone)]
pub(crate) struct RawRef(LogicalId);

impl<T: Type> Resource for Raw<T> {
    const TYPE: &'static str = T::TYPE;
    const STATEFUL: bool = false;
    type Ref = RawRef;

    fn into_properties(self) -> Properties {
        let properties = self.0.as_object().cloned().unwrap_or_default();
        properties.into_iter().fold(Properties::default(), |all, (name, value)| all.set_raw(&name, value))
    }
}

impl From<LogicalId> for RawRef {
    fn from(id: LogicalId) -> Self {
        Self(id)
    }
}

impl Referable for RawRef {
    fn logical_id(&self) -> &LogicalId {
        &self.0
    }
}

impl RawRef {
    pub(crate) fn reference(&self) -> Value<String> {
        Value::reference(&self.0)
    }
}

/// A resource with these properties.
pub(crate) fn raw<T: Type>(properties: Json) -> Raw<T> {
    Raw(properties, std::marker::PhantomData)
}

/// Adds a resource with these properties.
pub(crate) fn add<T: Type>(stack: &mut Stack, id: &str, properties: Json) -> RawRef {
    stack.add(id, raw::<T>(properties))
}

macro_rules! types {
    ($($name:ident = $ty:literal,)*) => {$(
        pub(crate) struct $name;

        impl Type for $name {
            const TYPE: &'static str = $ty;
        }
    )*};
}
types! {
    Alarm = "AWS::CloudWatch::Alarm",
    Authorizer = "AWS::ApiGateway::Authorizer",
    Bucket = "AWS::S3::Bucket",
    BucketPolicy = "AWS::S3::BucketPolicy",
    Deployment = "AWS::ApiGateway::Deployment",
    Distribution = "AWS::CloudFront::Distribution",
    EventSourceMapping = "AWS::Lambda::EventSourceMapping",
    Function = "AWS::Lambda::Function",
    Method = "AWS::ApiGateway::Method",
    Parameter = "AWS::SSM::Parameter",
    Permission = "AWS::Lambda::Permission",
    Queue = "AWS::SQS::Queue",
    RestApi = "AWS::ApiGateway::RestApi",
    Role = "AWS::IAM::Role",
    Rule = "AWS::Events::Rule",
    Schedule = "AWS::Scheduler::Schedule",
    SecurityGroup = "AWS::EC2::SecurityGroup",
    Stage = "AWS::ApiGateway::Stage",
    Table = "AWS::DynamoDB::Table",
    UserPool = "AWS::Cognito::UserPool",
}
