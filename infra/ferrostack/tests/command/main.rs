//! The command as its users meet it: what it writes, prints and exits with.

mod completions;
mod delegated;
mod environments;
mod graph;
mod help;
mod output;
mod synth;
mod tenants;
mod workspace;
