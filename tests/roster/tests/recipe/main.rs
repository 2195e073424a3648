//! Follows docs/adding-a-system.md in a copy of the workspace, then leaves out each step in turn.

mod document;
mod scratch;

use std::collections::BTreeSet;
use std::path::Path;

use document::Recipe;
use scratch::{Change, Workspace, cargo};
use stacks::{SYSTEMS, System};

/// The system of the recipe.
const GREETING: System =
    System { name: "greeting", title: "Greeting", summary: "a friendly line in a log, as often as they like" };
/// What the last step writes, by a command.
const TEMPLATE: &str = "cfn-out/example/example-greeting.template.json";
/// The targets that only the wiring needs.
const WIRING: [&str; 2] = ["--test", "wiring"];

/// One test, because its parts share the copy, and what is compiled there.
#[test]
fn the_recipe_works_and_each_omitted_step_is_reported() {
    let recipe = Recipe::read(&root().join("docs/adding-a-system.md"));
    let workspace = Workspace::read(root());
    workspace.apply(recipe.edits());
    recipe_works();

    assert!(recipe.steps.len() >= 9, "the recipe has only {} steps with code", recipe.steps.len());
    for (step, edits) in &recipe.steps {
        let _omitted = workspace.without(edits, recipe.edits());
        assert_reported(step);
    }
    {
        let _omitted = Change::remove(TEMPLATE);
        assert_reported("The template");
    }
    // The parts of a step that no file shows.
    {
        let _omitted = Change::replace("stacks/lib.rs", "pub mod greeting;", "");
        cargo("test", &WIRING).fails().says("greeting");
    }
    {
        let _omitted = Change::replace("lambdas/greeting/wiring/wiring.rs", "        .function(\"Greet\"", "//");
        cargo("test", &WIRING).fails().says("the wiring of greeting does not check [\"Greet\"]");
    }
    {
        let _omitted = Change::replace("stacks/greeting/mod.rs", "        .env(", "//");
        cargo("test", &WIRING).fails().says("GREETED");
    }
}

/// The system that follows the recipe compiles, is synthesized, passes its tests, and lacks nothing.
fn recipe_works() {
    cargo("build", &["--bins", "--test", "wiring"]).succeeds();
    scratch::ferrostack("synth").succeeds();
    assert!(scratch::path(TEMPLATE).is_file(), "synth did not write {TEMPLATE}");
    let tests = cargo("test", &["--lib", "--test", "greeting", "--test", "wiring"]).succeeds();
    tests.says("a_greeting_has_the_name ... ok");
    tests.says("the_schedule_runs_once_a_day_or_as_the_tenant_says ... ok");
    tests.says("functions_read_exactly_what_the_stack_sets ... ok");
    let lacking = new_problems();
    assert!(lacking.is_empty(), "the recipe leaves something out:\n{}", lacking.join("\n"));
}

fn assert_reported(step: &str) {
    let problems = new_problems();
    let is_reported = problems.iter().any(|problem| problem.starts_with("greeting: "));
    assert!(is_reported, "omitting the step \"{step}\" is not reported, only:\n{}", problems.join("\n"));
}

/// What the roster's test would report about the copy, apart from what it reports about the workspace anyway.
fn new_problems() -> Vec<String> {
    let is_listed = scratch::read("stacks/lib.rs").contains("pub mod greeting;");
    let systems: Vec<System> = SYSTEMS.iter().copied().chain(is_listed.then_some(GREETING)).collect();
    let known: BTreeSet<String> = roster_tests::problems(root(), SYSTEMS).into_iter().collect();
    roster_tests::problems(&scratch::path(""), &systems)
        .into_iter()
        .filter(|problem| !known.contains(problem))
        .collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
