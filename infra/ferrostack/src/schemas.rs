//! No two stacks may set up the same schema of a warehouse.

use std::collections::BTreeMap;

use stacks::TenantError;

use crate::tenants::{FileError, TenantFile, line_of};

/// The first schema of a selected tenant that a different stack sets up too.
pub(crate) fn shared(selected: &[TenantFile], others: &[TenantFile]) -> Option<FileError> {
    let mut owners = BTreeMap::new();
    for (is_selected, file) in others.iter().map(|file| (false, file)).chain(selected.iter().map(|file| (true, file))) {
        for schema in file.tenant.schemas() {
            // Warehouses of the same name in different environments are different warehouses.
            let key = (file.tenant.environment.clone(), schema.key().clone());
            let stack = format!("{}-{}", file.tenant.tenancy.name, schema.system);
            let Some(owner) = owners.insert(key, stack).filter(|_| is_selected) else { continue };
            let message = format!("{schema} is also that of the stack {owner}; set a different `schema`");
            let error = TenantError { message, line: line_of(schema.system, &file.text), column: 1 };
            return Some(FileError { path: file.path.clone(), error });
        }
    }
    None
}
