//! Custom resources, which a function creates because CloudFormation cannot.

use aws::cloudformation::custom_resource::{self, CustomResourceRef};
use cfn::{Construct, Json, Scope};

use crate::FunctionRef;

/// Something that a function of the same stack creates, updates and deletes.
///
/// CloudFormation waits an hour for a missing answer by default; here it waits only as long as stated.
#[derive(Clone, Debug)]
pub struct CustomResource {
    function: FunctionRef,
    seconds: i64,
    properties: Vec<(&'static str, Json)>,
}

impl CustomResource {
    /// A resource for which `function` answers within `seconds`, 1 to 3,600; choose a little more than the function's own timeout.
    pub fn new(function: &FunctionRef, seconds: i64) -> Self {
        Self { function: function.clone(), seconds, properties: Vec::new() }
    }

    /// Adds a property for the function; CloudFormation passes numbers and booleans as text.
    #[must_use]
    pub fn property(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.properties.push((name, value.into()));
        self
    }
}

impl Construct for CustomResource {
    type Ref = CustomResourceRef;

    fn add_to(self, scope: &mut Scope<'_>) -> CustomResourceRef {
        let resource = custom_resource::CustomResource::new(self.function.arn()).service_timeout(self.seconds);
        scope.add_here(
            self.properties.into_iter().fold(resource, |resource, (name, value)| resource.with_raw(name, value)),
        )
    }
}
