//! HTTP message signatures, in one fixed profile of RFC 9421, with Content-Digest (RFC 9530).
//!
//! Covered, in this order: `@method`, `@authority`, `@path`, `@query`, `content-digest`. Parameters, in this order: `created`,
//! `keyid` (the installation), `alg="ed25519"`, `nonce` (the server's), `tag="sotay"`. One label: `sotay`. Anything else is refused.
