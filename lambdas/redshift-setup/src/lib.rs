//! Custom resource that gives a warehouse what a system needs: tables, views, the signing function, grants.
