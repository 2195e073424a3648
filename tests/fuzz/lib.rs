//! What the fuzz targets try. Each function takes any input, and panics only if something is wrong.

use athena_federation::{Block, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfn::{App, BuiltFunctions, Format};
use serde_json::{Value as Json, json};
use stacks::Tenant;

/// A block of rows in Arrow's format: two bytes with the length of the schema's message, that message, and the message of the rows.
///
/// # Panics
///
/// If the connector's reader does.
pub fn arrow_block(bytes: &[u8]) {
    let Some((length, messages)) = bytes.split_first_chunk::<2>() else { return };
    let (schema, records) = messages.split_at(messages.len().min(u16::from_le_bytes(*length).into()));
    let block = json!({ "aId": "a", "schema": STANDARD.encode(schema), "records": STANDARD.encode(records) });
    if let Ok(block) = serde_json::from_value::<Block>(block)
        && let Ok(rows) = block.rows()
    {
        // Everything that was read can be inspected.
        let _ = format!("{rows:?}");
    }
}

/// A request as Athena sends it.
///
/// # Panics
///
/// If the connector's reader does.
pub fn athena_request(bytes: &[u8]) {
    if let Ok(event) = serde_json::from_slice(bytes) {
        let _ = Request::read(event);
    }
}

/// A tenant file, and the templates of its stacks.
///
/// # Panics
///
/// If reading or synthesizing does, or if an assembly without errors is not JSON.
pub fn tenant_file(text: &str) {
    let Ok(tenant) = Tenant::parse(text) else { return };
    let assembly = App::default().stacks(tenant.stacks()).checks(constructs::checks::ALL).synth();
    if assembly.has_errors() {
        return;
    }
    for (name, file) in assembly.files(&BuiltFunctions::new(), Format::Json) {
        assert!(serde_json::from_str::<Json>(&file).is_ok(), "{name} is not JSON");
    }
}
