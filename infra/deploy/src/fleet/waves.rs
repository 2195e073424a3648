//! The waves of a fleet: a few tenants first, then more, and no more when too many fail.

/// Tenants in the first waves; the last wave has the rest.
const FIRST: [usize; 3] = [1, 5, 25];

/// The sizes of the waves for this number of tenants: 1, 5, 25 and the rest.
pub(crate) fn sizes(tenants: usize) -> Vec<usize> {
    let mut left = tenants;
    let mut sizes = Vec::new();
    for size in FIRST.into_iter().chain([usize::MAX]) {
        let size = size.min(left);
        if size > 0 {
            sizes.push(size);
        }
        left -= size;
    }
    sizes
}

/// Whether the failures exceed the percentage of the tenants up to the end of a wave. During the wave, it is true as soon as that is
/// certain.
pub(crate) fn too_many(failures: usize, tenants: usize, percent: f64) -> bool {
    failures as f64 * 100.0 > percent * tenants as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_grow_and_the_last_has_the_rest() {
        assert!(sizes(0).is_empty());
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(4), [1, 3]);
        assert_eq!(sizes(31), [1, 5, 25]);
        assert_eq!(sizes(1000), [1, 5, 25, 969]);
    }

    #[test]
    fn a_percentage_may_fail_and_no_more() {
        assert!(too_many(1, 1, 2.0) && too_many(1, 31, 2.0));
        assert!(!too_many(20, 1000, 2.0) && too_many(21, 1000, 2.0));
        assert!(!too_many(0, 1, 0.0) && too_many(1, 1000, 0.0));
    }
}
