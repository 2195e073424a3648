//! Where the sources are wrong: named corrections, each an error once it no longer applies.

use anyhow::{Context, Result, ensure};

use crate::specification::{Limits, Properties, Resource, Specification};

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
    "AWS::Events::Rule" => event_buses_exist_in_the_european_sovereign_cloud,
    "AWS::Lambda::Function" => function_limits_are_those_without_a_capacity_provider,
}

/// The API refuses an alarm without them, and both sources list them as optional.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
fn alarm_needs_an_operator_and_periods(alarm: &mut Resource) -> Result<()> {
    require(&mut alarm.properties, "ComparisonOperator")?;
    require(&mut alarm.properties, "EvaluationPeriods")
}

/// Region names there start with four letters, `eusc-de-east-1`; the pattern of the bus knows only two.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
fn event_buses_exist_in_the_european_sovereign_cloud(rule: &mut Resource) -> Result<()> {
    let pattern = limits(&mut rule.properties, "EventBusName")?.pattern.as_mut().context("it has no pattern")?;
    let wider = pattern.replacen(":[a-z]{2}-", ":(eusc-)?[a-z]{2}-", 1);
    ensure!(wider != *pattern && !pattern.contains("eusc"), "the pattern is {pattern}");
    *pattern = wider;
    Ok(())
}

/// The schema gives what a function on managed instances may have, and a function without `CapacityProviderConfig` is
/// refused beyond 10,240 MB and 900 s. The mistake is common and managed instances are not; `with_raw` sets theirs.
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
    ensure!(before.is_some_and(|it| it > maximum), "{name} allows at most {before:?}");
    limits.maximum = Some(maximum.into());
    Ok(())
}

fn require(properties: &mut Properties, name: &str) -> Result<()> {
    let property = properties.get_mut(name).with_context(|| format!("there is no {name}"))?;
    ensure!(!property.required, "{name} is required already");
    property.required = true;
    Ok(())
}
