//! Every place in the repository that has something for each system agrees with the roster.

use std::path::Path;

use stacks::SYSTEMS;

#[test]
fn the_repository_agrees_with_the_roster() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let problems = roster_tests::problems(&root, SYSTEMS);
    assert!(problems.is_empty(), "\n{}\n\nSee docs/adding-a-system.md.", problems.join("\n"));
}
