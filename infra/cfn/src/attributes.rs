//! Attributes of a resource, such as `DeletionPolicy`, which are not properties.

use crate::{Construct, Json, NamedCondition, Referable, Resource, Scope};

/// A resource with attributes in addition to its properties, such as `DeletionPolicy`.
#[derive(Clone, Debug)]
pub struct With<R> {
    resource: R,
    attributes: Vec<(&'static str, Json)>,
}

/// What happens to a resource that is removed from its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted.
    Delete,
    /// It is kept.
    Retain,
    /// It is kept, unless the creation of its stack failed.
    RetainExceptOnCreate,
    /// A snapshot of it is kept, for types that have snapshots.
    Snapshot,
}

impl DeletionPolicy {
    fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::RetainExceptOnCreate => "RetainExceptOnCreate",
            Self::Snapshot => "Snapshot",
        }
    }
}

/// The attributes that any resource can have.
pub trait Attributes: Sized {
    /// The resource type underneath.
    type Resource: Resource;

    /// Sets an attribute to unchecked JSON; all other methods use this one.
    fn attribute(self, name: &'static str, value: impl Into<Json>) -> With<Self::Resource>;

    /// Keeps the resource and its data when it is replaced or its stack is deleted; a stack whose creation fails leaves nothing behind.
    fn retain(self) -> With<Self::Resource> {
        self.deletion_policy(DeletionPolicy::RetainExceptOnCreate).update_replace_policy(DeletionPolicy::Retain)
    }

    /// Deletes the resource with its stack; types that hold data have to say so.
    fn disposable(self) -> With<Self::Resource> {
        self.deletion_policy(DeletionPolicy::Delete).update_replace_policy(DeletionPolicy::Delete)
    }

    /// `DeletionPolicy`.
    fn deletion_policy(self, policy: DeletionPolicy) -> With<Self::Resource> {
        self.attribute("DeletionPolicy", policy.name())
    }

    /// `UpdateReplacePolicy`; CloudFormation has no `RetainExceptOnCreate` here.
    fn update_replace_policy(self, policy: DeletionPolicy) -> With<Self::Resource> {
        let policy = if policy == DeletionPolicy::RetainExceptOnCreate { DeletionPolicy::Retain } else { policy };
        self.attribute("UpdateReplacePolicy", policy.name())
    }

    /// `DependsOn`, for an order that no reference implies. Calls add up.
    fn depends_on<'a, O: Referable + 'a>(self, others: impl IntoIterator<Item = &'a O>) -> With<Self::Resource> {
        let ids: Vec<&str> = others.into_iter().map(|other| other.logical_id().as_str()).collect();
        self.attribute("DependsOn", ids)
    }

    /// `Condition`: the resource exists only when it holds.
    fn only_if(self, condition: &NamedCondition) -> With<Self::Resource> {
        self.attribute("Condition", condition.0.as_str())
    }

    /// `Metadata`, which tools read and CloudFormation does not.
    fn metadata(self, metadata: impl Into<Json>) -> With<Self::Resource> {
        self.attribute("Metadata", metadata)
    }

    /// `CreationPolicy`.
    fn creation_policy(self, policy: impl Into<Json>) -> With<Self::Resource> {
        self.attribute("CreationPolicy", policy)
    }

    /// `UpdatePolicy`.
    fn update_policy(self, policy: impl Into<Json>) -> With<Self::Resource> {
        self.attribute("UpdatePolicy", policy)
    }
}

impl<R: Resource> Attributes for R {
    type Resource = R;

    fn attribute(self, name: &'static str, value: impl Into<Json>) -> With<R> {
        With { resource: self, attributes: vec![(name, value.into())] }
    }
}

impl<R: Resource> Attributes for With<R> {
    type Resource = R;

    fn attribute(mut self, name: &'static str, value: impl Into<Json>) -> With<R> {
        self.attributes.push((name, value.into()));
        self
    }
}

impl<R: Resource> Construct for With<R> {
    type Ref = R::Ref;

    fn add_to(self, scope: &mut Scope<'_>) -> R::Ref {
        R::Ref::from(scope.insert::<R>(self.resource, self.attributes))
    }
}
