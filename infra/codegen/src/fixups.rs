//! Named corrections of the sources. A correction that no longer applies is an error.

use anyhow::{Context, Result, ensure};

use crate::specification::{Limits, Properties, Resource, Specification};

/// Applies every fix-up whose resource type is in the specification.
///
/// # Errors
///
/// If a fix-up no longer has anything to correct and should be deleted here.
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
    "AWS::Events::Rule" => event_buses_exist_in_the_european_sovereign_cloud,
    "AWS::Lambda::Function" => function_limits_are_those_without_a_capacity_provider,
}

/// The API rejects an alarm without them, but both sources list them as optional.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
fn alarm_needs_an_operator_and_periods(alarm: &mut Resource) -> Result<()> {
    require(&mut alarm.properties, "ComparisonOperator")?;
    require(&mut alarm.properties, "EvaluationPeriods")
}

/// Region names there start with four letters, as in `eusc-de-east-1`; the pattern of the bus allows only two.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
fn event_buses_exist_in_the_european_sovereign_cloud(rule: &mut Resource) -> Result<()> {
    let pattern = limits(&mut rule.properties, "EventBusName")?.pattern.as_mut().context("it has no pattern")?;
    let wider = pattern.replacen(":[a-z]{2}-", ":(eusc-)?[a-z]{2}-", 1);
    ensure!(wider != *pattern && !pattern.contains("eusc"), "the pattern is {pattern}");
    *pattern = wider;
    Ok(())
}

/// The schema states the limits of functions on managed instances, but a function without `CapacityProviderConfig` is rejected above 10,240 MB
/// and 900 s. That mistake is common and managed instances are not; for those, use `with_raw`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
fn function_limits_are_those_without_a_capacity_provider(function: &mut Resource) -> Result<()> {
    lower(&mut function.properties, "MemorySize", 10_240)?;
    lower(&mut function.properties, "Timeout", 900)
}

fn limits<'a>(properties: &'a mut Properties, name: &str) -> Result<&'a mut Limits> {
    Ok(&mut properties.get_mut(name).with_context(|| format!("there is no {name}"))?.limits)
}

fn lower(properties: &mut Properties, name: &str, maximum: u64) -> Result<()> {
    let limits = limits(properties, name)?;
    let before = limits.maximum.as_ref().and_then(serde_json::Number::as_u64);
    ensure!(before.is_some_and(|before| before > maximum), "{name} allows at most {before:?}");
    limits.maximum = Some(maximum.into());
    Ok(())
}

fn require(properties: &mut Properties, name: &str) -> Result<()> {
    let property = properties.get_mut(name).with_context(|| format!("there is no {name}"))?;
    ensure!(!property.required, "{name} is required already");
    property.required = true;
    Ok(())
}
