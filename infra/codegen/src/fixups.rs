//! Where the sources are wrong: named corrections, each an error once it no longer applies.

use crate::specification::{Properties, Resource, Specification};
use anyhow::{Context, Result, ensure};

/// Applies every fix-up whose resource type is in the specification.
///
/// # Errors
///
/// When one has nothing to correct any more; then it is to be deleted here.
pub fn apply(specification: &mut Specification) -> Result<()> {
    for (name, ty, fixup) in FIXUPS {
        if let Some(resource) = specification.resources.get_mut(*ty) {
            fixup(resource).with_context(|| format!("the fix-up {name} of {ty} no longer applies; delete it"))?;
        }
    }
    Ok(())
}

type Fixup = fn(&mut Resource) -> Result<()>;

macro_rules! fixups {
    ($($ty:literal => $name:ident),* $(,)?) => {
        const FIXUPS: &[(&str, &str, Fixup)] = &[$((stringify!($name), $ty, $name)),*];
    };
}
fixups! {
    "AWS::CloudWatch::Alarm" => alarm_needs_an_operator_and_periods,
}

/// The API refuses an alarm without them, and both sources list them as optional.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
fn alarm_needs_an_operator_and_periods(alarm: &mut Resource) -> Result<()> {
    require(&mut alarm.properties, "ComparisonOperator")?;
    require(&mut alarm.properties, "EvaluationPeriods")
}

fn require(properties: &mut Properties, name: &str) -> Result<()> {
    let property = properties.get_mut(name).with_context(|| format!("there is no {name}"))?;
    ensure!(!property.required, "{name} is required already");
    property.required = true;
    Ok(())
}
