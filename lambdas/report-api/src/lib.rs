//! The REST API of reports: submit, list, describe, result, download, delete.
