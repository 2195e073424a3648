//! What a change set is made from.

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Tag};

use crate::assembly::StackArtifact;
use crate::aws::assets::{self, TemplateSource};
use crate::cloudformation::parameters::parameters;
use crate::cloudformation::ready::ReadyStack;
use crate::cloudformation::version;
use crate::{Error, Options, Target};

/// What a change set is made from.
pub(crate) struct Request<'a> {
    pub(crate) stack: &'a str,
    pub(crate) kind: ChangeSetType,
    /// The state of the stack before the change: a change set for the stack as it is now differs from one for the stack as it was.
    pub(crate) before: String,
    pub(crate) template: TemplateSource,
    pub(crate) parameters: Vec<Parameter>,
    /// None leaves the stack's tags as they are.
    pub(crate) tags: Option<Vec<Tag>>,
    /// Whether CloudFormation is done as soon as everything is configured, before it is ready to serve.
    pub(crate) express: bool,
}

impl<'a> Request<'a> {
    /// The request that brings the stack to its artifact, whether the change set is then executed or only looked at. A template that is
    /// too large for a request is uploaded.
    pub(crate) async fn for_artifact(
        target: &Target,
        stack: &'a StackArtifact,
        ready: &ReadyStack,
        options: &Options,
    ) -> Result<Request<'a>, Error> {
        let parameters = parameters(target, stack);
        let tags = version::tags(stack, options.revision.as_deref(), &parameters, ready.live.as_ref());
        let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
        Ok(Request {
            stack: &stack.name,
            kind: ready.kind.clone(),
            before: ready.before.clone(),
            template: assets::template_source(target, &stack.template).await?,
            parameters: parameters.into_iter().map(parameter).collect(),
            tags: Some(tags),
            express: options.express,
        })
    }

    /// The change set's name, which is also its token. The same request from the same attempt has the same name, also after a restart.
    pub(crate) fn name(&self, target: &Target) -> String {
        let template = match &self.template {
            TemplateSource::Inline(text) | TemplateSource::Url(text) => cfn::sha256(text),
        };
        let parameters: Vec<_> =
            self.parameters.iter().map(|parameter| (parameter.parameter_key(), parameter.parameter_value())).collect();
        target.token(&format!(
            "{}/{}/{}/{template}/{parameters:?}/{}",
            self.stack,
            self.kind.as_str(),
            self.before,
            self.express
        ))
    }
}
