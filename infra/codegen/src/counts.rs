//! How much was generated.

/// How much was generated.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Resource types.
    pub types: usize,
    /// Property types.
    pub property_types: usize,
    /// Properties, one setter each.
    pub properties: usize,
    /// Readable attributes.
    pub attributes: usize,
    /// Closed sets.
    pub enums: usize,
    /// Values of the closed sets.
    pub values: usize,
    /// Properties with a limit that is checked at synth.
    pub constraints: usize,
}
