//! What can be added to a stack.

use std::fmt;

use crate::{Properties, Scope};

/// A resource's name inside its template: letters and digits, the path of its scopes.
///
/// It has no public constructor, so a reference to something that was never added is impossible.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalId(pub(crate) String);

impl LogicalId {
    /// The name as in the template.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogicalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One CloudFormation resource type; the generated bindings implement it.
pub trait Resource: Sized {
    /// The type as in the template, `AWS::Service::Name`.
    const TYPE: &'static str;
    /// Whether replacing or deleting it loses data.
    const STATEFUL: bool;
    /// What adding it returns: typed `Ref` and `GetAtt`.
    type Ref: From<LogicalId>;

    /// The properties that are set.
    fn into_properties(self) -> Properties;
}

/// Anything that refers to a resource of the stack, for `DependsOn`.
pub trait Referable {
    /// The resource's name in the template.
    fn logical_id(&self) -> &LogicalId;
}

/// Anything that can be added to a stack: one resource, or several that belong together.
pub trait Construct {
    /// What [`crate::Stack::add`] returns: values and grants of what was added.
    type Ref;

    /// Adds the resources under `scope`; only [`crate::Stack::add`] and [`Scope::add`] call this.
    fn add_to(self, scope: &mut Scope<'_>) -> Self::Ref;
}

impl<R: Resource> Construct for R {
    type Ref = R::Ref;

    fn add_to(self, scope: &mut Scope<'_>) -> R::Ref {
        R::Ref::from(scope.insert::<R>(self, Vec::new()))
    }
}
