//! Harness for tests of the whole.
