//! What a system's module says about itself.

/// What must be known about a system before anything is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalSystem {
    /// Whether its functions, or the exercise, use Redshift. PostgreSQL is started only for a system that does.
    pub(crate) uses_warehouse: bool,
    /// Whether `exercise` respects [`World::measures`](crate::world::World::measures).
    pub(crate) can_be_measured: bool,
}
