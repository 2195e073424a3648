//! Starts, cancels and resumes named queries over a WebSocket.
