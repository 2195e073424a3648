//! Shows what a teardown deletes and what it keeps.

use std::collections::BTreeMap;

use crate::cloudformation::live_stack::{LiveResource, LiveStack};
use crate::destroy::contents;
use crate::destroy::left::Left;
use crate::{Error, Progress, Target};

/// One line for the resources that are deleted, and one for each resource that holds data.
pub(super) async fn show(target: &Target, live: &LiveStack, with_data: bool, progress: &Progress) -> Result<(), Error> {
    // By service, because there are dozens of resources: `AWS::Lambda::Function` belongs to Lambda.
    let mut deleted: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in live.resources.iter().filter(|resource| resource.is_deleted(with_data)) {
        let service = resource.kind.trim_start_matches("AWS::").split("::").next().unwrap_or_default();
        *deleted.entry(service).or_default() += 1;
    }
    let count: usize = deleted.values().sum();
    let deleted: Vec<_> = deleted.into_iter().map(|(service, count)| format!("{count} {service}")).collect();
    let of = if count > 0 { format!(": {}", deleted.join(", ")) } else { String::new() };
    let are = if count == 1 { "resource is" } else { "resources are" };
    progress.line(format!("{}: {count} {are} deleted{of}", live.stack.stack_name().unwrap_or_default()));
    for resource in live.resources.iter().filter(|resource| resource.retained) {
        let fate = if resource.is_deleted(with_data) { "deleted with its data" } else { "kept" };
        progress.line(format!("  {fate}: {}", described(target, resource).await));
    }
    Ok(())
}

/// One line for a resource that no longer belongs to any stack.
pub(super) async fn show_left(target: &Target, left: &Left, with_data: bool, progress: &Progress) {
    let Left { stack, resource } = left;
    let fate = if resource.is_deleted(with_data) { "deleted" } else { "kept; --with-data deletes it" };
    let described = described(target, resource).await;
    progress.line(format!("left by {stack}, and {fate}: {described}"));
}

/// Logical ID, type, ID, and size if it has one.
async fn described(target: &Target, resource: &LiveResource) -> String {
    let size = contents::size(target, resource).await;
    let size = size.map(|size| format!(" ({size})")).unwrap_or_default();
    format!("{} {} {}{size}", resource.logical_id, resource.kind, resource.physical_id)
}
