//! Tickets for the WebSocket, and pages of one's own results.
