//! What types that hold people's words say of themselves: their name and nothing else.
//!
//! `{:?}` ends up in logs, panics and error reports. So no record, intent or screen shows what is in it there. Whoever wants all of
//! it, a test that compares or a demo that prints, writes `{:-?}`, which nobody does by accident and which no code of a phone or
//! a server does (`tests/tests/canaries.rs` looks).

/// `Debug` for structs and for enums, each with all its fields: `redacted! { Name { text }, enum Choice { One { text } } }`.
#[macro_export]
macro_rules! redacted {
    () => {};
    ($type:ident { $($field:ident),* $(,)? } $(, $($rest:tt)*)?) => {
        impl ::core::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                if !f.sign_minus() {
                    return f.write_str(concat!(stringify!($type), "(…)"));
                }
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }
        $($crate::redacted! { $($rest)* })?
    };
    (enum $type:ident { $($variant:ident { $($field:ident),* $(,)? }),* $(,)? } $(, $($rest:tt)*)?) => {
        impl ::core::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                if !f.sign_minus() {
                    return f.write_str(concat!(stringify!($type), "(…)"));
                }
                match self {
                    $(Self::$variant { $($field),* } => f
                        .debug_struct(stringify!($variant))
                        $(.field(stringify!($field), $field))*
                        .finish(),)*
                }
            }
        }
        $($crate::redacted! { $($rest)* })?
    };
}
