//! The limits of a template and its stack.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>

/// The most resources of a template.
pub const RESOURCES: usize = 500;
/// The most parameters, outputs and mappings, each.
pub const NAMES: usize = 200;
/// The most bytes of a template that is uploaded first.
pub const BYTES: usize = 1_000_000;
/// The most bytes of a template that is sent inside a request.
pub const INLINE_BYTES: usize = 51_200;
/// The most bytes of a template's description.
pub const DESCRIPTION: usize = 1024;
/// The most characters of a name in a template.
pub const NAME: usize = 255;
/// The most tags of a stack.
pub const TAGS: usize = 50;
/// The most characters of a tag's key.
pub const TAG_KEY: usize = 128;
/// The most characters of a tag's value.
pub const TAG_VALUE: usize = 256;
