//! What tools want to know about a resource type without building one.

/// How a resource type takes changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The type as the template has it, `AWS::Service::Name`.
    pub ty: &'static str,
    /// Whether replacing or deleting it loses data.
    pub stateful: bool,
    /// The attributes that `Fn::GetAtt` reads, sorted; one inside another is `Outer.Inner`.
    pub attributes: &'static [&'static str],
    /// The properties whose change replaces the resource, in CloudFormation's spelling, sorted. One inside another is
    /// `Outer/Inner`; list positions and map keys are left out.
    pub replaces_on: &'static [&'static str],
    /// The properties whose change may replace the resource, spelled the same way.
    pub may_replace_on: &'static [&'static str],
}

/// How a resource type takes changes; nothing for a type that has no bindings.
pub fn schema(ty: &str) -> Option<&'static Schema> {
    crate::SCHEMAS.binary_search_by(|schema| schema.ty.cmp(ty)).ok().map(|at| &crate::SCHEMAS[at])
}
