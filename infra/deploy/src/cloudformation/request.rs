//! What a change set is made from.

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Tag};

use crate::assembly::StackArtifact;
use crate::aws::assets::{self, TemplateSource};
use crate::cloudformation::parameters::parameters;
use crate::cloudformation::ready::ReadyStack;
use crate::cloudformation::version;
use crate::{Error, Options, Target};

/// What becomes of a change set. Plans are also made by callers who may not deploy, such as the role of pull requests, so what they leave
/// in the account must not be mistaken for part of a deployment, and IAM must be able to tell the two apart by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is executed.
    Deploy,
    /// It is looked at and deleted.
    Plan,
}

impl Purpose {
    /// What the keys of uploaded templates start with.
    fn key_prefix(self) -> &'static str {
        match self {
            Purpose::Deploy => "",
            Purpose::Plan => "plan/",
        }
    }
}

/// What a change set is made from.
pub(crate) struct Request<'a> {
    pub(crate) stack: &'a str,
    /// Knows the line of Rust that added each resource; none if the template is not from an assembly.
    pub(crate) artifact: Option<&'a StackArtifact>,
    pub(crate) purpose: Purpose,
    pub(crate) kind: ChangeSetType,
    /// The state of the stack before the change: a change set for the stack as it is now differs from one for the stack as it was.
    pub(crate) before: String,
    pub(crate) template: TemplateSource,
    pub(crate) parameters: Vec<Parameter>,
    /// None leaves the stack's tags as they are.
    pub(crate) tags: Option<Vec<Tag>>,
    /// Whether CloudFormation is done as soon as everything is configured, before it is ready to serve.
    pub(crate) express: bool,
    /// The ARN of the role that CloudFormation works with from now on; none leaves it as it is.
    pub(crate) execution_role: Option<String>,
}

impl<'a> Request<'a> {
    /// The request that brings the stack to its artifact. A template that is too large for a request is uploaded.
    pub(crate) async fn for_artifact(
        target: &Target,
        stack: &'a StackArtifact,
        ready: &ReadyStack,
        options: &Options,
        purpose: Purpose,
    ) -> Result<Request<'a>, Error> {
        let parameters = parameters(target, stack);
        let revision = version::revision(stack, options.revision.as_deref(), &parameters, ready.live.as_ref());
        let tags = version::tags(stack, revision.as_deref());
        let version = version::parameters(stack, revision);
        let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
        // The plan of a new stack creates an empty one. Without the tags of a deployed stack, it can be deleted by a caller who may delete
        // no stack that has them.
        let untagged = purpose == Purpose::Plan && ready.kind == ChangeSetType::Create;
        Ok(Request {
            stack: &stack.name,
            artifact: Some(stack),
            purpose,
            kind: ready.kind.clone(),
            before: ready.before.clone(),
            template: assets::template_source(target, &stack.template.read()?, purpose.key_prefix()).await?,
            parameters: parameters.into_iter().chain(version).map(parameter).collect(),
            tags: (!untagged).then_some(tags),
            express: options.express,
            execution_role: stack.environment.execution_role.clone(),
        })
    }

    /// The change set's name, which is also its token. The same request from the same attempt has the same name, also after a restart.
    pub(crate) fn name(&self, target: &Target) -> String {
        let template = match &self.template {
            TemplateSource::Inline(text) | TemplateSource::Url(text) => cfn::sha256(text),
        };
        // Whoever deploys the same again resumes it, whatever the revision is called.
        let parameters = self.parameters.iter().filter(|parameter| !version::is_version(parameter.parameter_key()));
        let parameters: Vec<_> =
            parameters.map(|parameter| (parameter.parameter_key(), parameter.parameter_value())).collect();
        let token = target.token(&format!(
            "{}/{}/{}/{template}/{parameters:?}/{}",
            self.stack,
            self.kind.as_str(),
            self.before,
            self.express
        ));
        match self.purpose {
            Purpose::Deploy => token,
            Purpose::Plan => format!("plan-{token}"),
        }
    }
}
