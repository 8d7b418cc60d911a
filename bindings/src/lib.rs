//! The one library that Kotlin, Swift and Python load. Types that cross the border are declared where they live, in
//! `core/model` and `core/client`; this crate only links them together.

pub use {sotay_client, sotay_model};
