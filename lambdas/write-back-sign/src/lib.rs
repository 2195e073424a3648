//! Redshift Lambda UDF that signs rows: batch in, tokens out.
