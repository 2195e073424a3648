//! Lambda functions written in Rust.

use std::collections::BTreeMap;

use aws::iam::role::{self, Role};
use aws::lambda::event_invoke_config::{self, EventInvokeConfig};
use aws::lambda::function::{self, Code, DeadLetterConfig, Environment, Function, LoggingConfig, TracingConfig};
use aws::logs::log_group::LogGroup;
use cfn::intrinsic::{equals, if_, sub};
use cfn::{Asset, Attributes, Construct, LogicalId, Parameter, Referable, Scope, Value};
use serde::Deserialize;

use crate::QueueRef;
use crate::grant::{Grant, assumed_by, policy};

/// A Lambda function built from a Cargo package in `lambdas/<system>/<function>`.
///
/// It has its own role with only the rights granted here, and its own log group, which is deleted with the stack and keeps entries for
/// [`RustFunction::LOG_DAYS`] days. Tracing is on, logs are JSON.
#[derive(Clone, Debug)]
pub struct RustFunction {
    package: String,
    architecture: Architecture,
    memory: Value<i64>,
    timeout: Value<i64>,
    variables: BTreeMap<String, Value<String>>,
    grants: Vec<Grant>,
    dead_letters: Option<QueueRef>,
    retries: Option<u8>,
}

/// The instruction set a function is built for and runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Intel and AMD, which every Rust toolchain on such a machine can build.
    #[default]
    X86_64,
    /// Graviton: cheaper for the same work; the toolchain needs the target `aarch64-unknown-linux-gnu`.
    Arm64,
}

impl Architecture {
    /// Its name in Lambda and in the build.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

impl From<Architecture> for Value<function::Architecture> {
    fn from(architecture: Architecture) -> Self {
        match architecture {
            Architecture::X86_64 => function::Architecture::X86_64.into(),
            Architecture::Arm64 => function::Architecture::Arm64.into(),
        }
    }
}

impl RustFunction {
    /// The number of days that a function's log is kept.
    pub const LOG_DAYS: i64 = 30;

    /// A function of this Cargo package, with 256 MB and 30 seconds.
    pub fn new(package: &str, architecture: Architecture) -> Self {
        Self {
            package: package.to_owned(),
            architecture,
            memory: 256.into(),
            timeout: 30.into(),
            variables: BTreeMap::new(),
            grants: Vec::new(),
            dead_letters: None,
            retries: None,
        }
    }

    /// Memory in MB, which also determines its share of the processor: 1,769 MB is one whole virtual CPU.
    #[track_caller]
    #[must_use]
    pub fn memory(mut self, megabytes: impl Into<Value<i64>>) -> Self {
        self.memory = megabytes.into().set_here();
        self
    }

    /// The most seconds one call may take, 1 to 900.
    #[track_caller]
    #[must_use]
    pub fn timeout(mut self, seconds: impl Into<Value<i64>>) -> Self {
        self.timeout = seconds.into().set_here();
        self
    }

    /// An environment variable. Not for secrets: everyone who may describe the function can read it.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<Value<String>>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// A right of its role.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// How often a failed asynchronous invocation is retried, 0 to 2; 2 by default.
    #[must_use]
    pub fn retries(mut self, times: u8) -> Self {
        self.retries = Some(times);
        self
    }

    /// Where events are sent whose asynchronous invocation failed, after the first attempt and its retries.
    #[must_use]
    pub fn dead_letters(mut self, queue: &QueueRef) -> Self {
        self.grants.push(queue.grant_send());
        self.dead_letters = Some(queue.clone());
        self
    }
}

impl Construct for RustFunction {
    type Ref = FunctionRef;

    fn add_to(self, scope: &mut Scope<'_>) -> FunctionRef {
        let logs = scope.add("Logs", LogGroup::new().retention_in_days(Self::LOG_DAYS).disposable());
        let mut grants = self.grants;
        grants.push(Grant::new(["logs:CreateLogStream", "logs:PutLogEvents"], [logs.arn()]));
        // X-Ray has no resource types: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        grants.push(Grant::new(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*".into()]));
        let role = scope.add(
            "Role",
            Role::new(assumed_by("lambda.amazonaws.com", cfn::Json::Null)).policies([role::Policy::new(
                role::PolicyRequired { policy_name: "Grants".into(), policy_document: policy(grants).into() },
            )]),
        );
        let (code, code_key) = code(scope, &self.package, self.architecture);
        let mut function = Function::new(function::Required { code: code.into(), role: role.arn() })
            .runtime(function::Runtime::ProvidedAl2023)
            .handler("bootstrap")
            .architectures([self.architecture])
            .memory_size(self.memory)
            .timeout(self.timeout)
            .logging_config(LoggingConfig::new().log_group(logs.reference()).log_format(function::LogFormat::Json))
            .tracing_config(TracingConfig::new().mode(function::Mode::Active));
        if !self.variables.is_empty() {
            function = function.environment(Environment::new().variables(self.variables));
        }
        if let Some(queue) = self.dead_letters {
            function = function.dead_letter_config(DeadLetterConfig::new().target_arn(queue.arn()));
        }
        let function = scope.add_here(function);
        if let Some(times) = self.retries {
            scope.add(
                "Retries",
                EventInvokeConfig::new(event_invoke_config::Required {
                    function_name: function.reference(),
                    qualifier: "$LATEST".into(),
                })
                .maximum_retry_attempts(i64::from(times)),
            );
        }
        FunctionRef { function, role, code_key }
    }
}

/// The code of a function, and its key. The bucket and the key are parameters, so that the template stays the same when a compiler changes
/// the zip.
fn code(scope: &mut Scope<'_>, package: &str, architecture: Architecture) -> (Code, Value<String>) {
    let bucket = scope.parameter(
        "AssetBucket",
        Parameter::string()
            .default("")
            .description("Bucket with the functions' code; empty is the one that `cdk bootstrap` made"),
    );
    let bootstrap = scope.condition("UseBootstrapBucket", equals(&bucket, ""));
    let key_parameter = format!("{}CodeKey", scope.path());
    let key = scope.parameter(
        &key_parameter,
        Parameter::string()
            .description(&format!("Key of the code of {package} in the asset bucket"))
            .allowed_pattern("^[0-9a-f]{64}\\.zip$"),
    );
    scope.asset(Asset { package: package.to_owned(), architecture: architecture.name().to_owned(), key_parameter });
    let bootstrap_bucket = sub("cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}");
    (Code::new().s3_bucket(if_(&bootstrap, bootstrap_bucket, bucket)).s3_key(&key), key)
}

/// A function in a stack.
#[derive(Clone, Debug)]
pub struct FunctionRef {
    function: function::FunctionRef,
    role: role::RoleRef,
    code_key: Value<String>,
}

impl FunctionRef {
    /// The function's ARN.
    pub fn arn(&self) -> Value<String> {
        self.function.arn()
    }

    /// The function's name.
    pub fn name(&self) -> Value<String> {
        self.function.reference()
    }

    /// The key of its code, which changes with the code.
    pub fn code_key(&self) -> Value<String> {
        self.code_key.clone()
    }

    /// The name of its role, by which it is known to other services.
    pub fn role_name(&self) -> Value<String> {
        self.role.reference()
    }

    /// The ID of its role, as in records of what the role has done: `<ID>:<session>`.
    pub fn role_id(&self) -> Value<String> {
        self.role.role_id()
    }

    /// The right to invoke it.
    pub fn grant_invoke(&self) -> Grant {
        Grant::new(["lambda:InvokeFunction"], [self.arn()])
    }
}

impl Referable for FunctionRef {
    fn logical_id(&self) -> &LogicalId {
        self.function.logical_id()
    }
}
