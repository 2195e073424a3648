//! Sends finished reports on: by e-mail, to another bucket, by SFTP.
