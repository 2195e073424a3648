//! Shows what the deletion of a stack deletes and what it keeps.

use std::collections::BTreeMap;

use crate::cloudformation::live_stack::LiveStack;
use crate::destroy::{contents, retention};
use crate::{Error, Progress, Target};

/// One line for the resources that are deleted, and one for each resource that holds data.
pub(super) async fn show(target: &Target, live: &LiveStack, with_data: bool, progress: &Progress) -> Result<(), Error> {
    let with_data = with_data && retention::can_be_released(live);
    // By service, because there are dozens of resources: `AWS::Lambda::Function` belongs to Lambda.
    let mut deleted: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in live.resources.iter().filter(|resource| with_data || !resource.retained) {
        let service = resource.kind.trim_start_matches("AWS::").split("::").next().unwrap_or_default();
        *deleted.entry(service).or_default() += 1;
    }
    let count: usize = deleted.values().sum();
    let deleted: Vec<_> = deleted.into_iter().map(|(service, count)| format!("{count} {service}")).collect();
    let of = if count > 0 { format!(": {}", deleted.join(", ")) } else { String::new() };
    let are = if count == 1 { "resource is" } else { "resources are" };
    progress.line(format!("{}: {count} {are} deleted{of}", live.stack.stack_name().unwrap_or_default()));
    for resource in live.resources.iter().filter(|resource| resource.retained) {
        let fate = if with_data { "deleted with its data" } else { "kept" };
        let size = contents::size(target, resource).await;
        let size = size.map(|size| format!(" ({size})")).unwrap_or_default();
        progress.line(format!("  {fate}: {} {} {}{size}", resource.logical_id, resource.kind, resource.physical_id));
    }
    Ok(())
}
