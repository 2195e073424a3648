//! The picture on each system's page shows the committed template.

use std::fs;
use std::path::{Path, PathBuf};

use ferrostack_graph::{Graph, svg};

/// Writes the pictures instead of comparing them.
const UPDATE: &str = "UPDATE_PICTURES";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn picture(system: &str) -> String {
    let stack = format!("example-{system}");
    let path = root().join(format!("cfn-out/example/{stack}.template.json"));
    let template = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    svg::draw(&[Graph::of(&stack, &serde_json::from_str(&template).expect("a template is JSON"))]) + "\n"
}

#[test]
fn each_system_has_a_current_picture_on_its_page() {
    for system in stacks::SYSTEMS {
        let name = system.name;
        let (path, expected) = (root().join(format!("docs/pictures/{name}.svg")), picture(name));
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&path, &expected).expect("docs/pictures can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == expected,
            "docs/pictures/{name}.svg is missing or stale; run `{UPDATE}=1 cargo test -p docs-tests`"
        );
        let page = fs::read_to_string(root().join(format!("docs/{name}.md"))).expect("a page");
        let link = format!("](pictures/{name}.svg)");
        assert!(page.contains(&link), "docs/{name}.md does not show its picture; add `![…{link}` to it");
    }
}
