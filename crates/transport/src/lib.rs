//! UDP, TCP and the resolution of names (RFC 3263) for SIP.
