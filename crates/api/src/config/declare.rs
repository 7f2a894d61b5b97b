//! How variables are declared, and how settings are read from them.
//!
//! A variable is declared once, by `variables!`, in the file of its concern. It can only be read by its declaration, and an
//! unused declaration does not compile: the constant is dead code.

/// Declares the variables of a file: a constant for each, and `DECLARED`, the list of them.
///
/// The list repeats the expressions instead of the constants, so that an unused constant is dead code.
macro_rules! variables {
    ($($(#[$attribute:meta])* $name:ident: $type:ty = $made:expr;)*) => {
        $($(#[$attribute])* const $name: $type = $made.named(stringify!($name));)*
        pub(super) const DECLARED: &[&dyn $crate::config::variable::AnyVariable] =
            &[$({ const ROW: &$type = &$made.named(stringify!($name)); ROW }),*];
    };
}

/// Defines a struct of settings: each field has its type and its source, a variable or a function.
macro_rules! settings {
    (
        $(#[$attribute:meta])* pub struct $name:ident {
            $($(#[$field_attribute:meta])* pub $field:ident: $type:ty = $source:expr,)*
        }
        $(checked by $check:expr)?
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }

        impl $name {
            pub(in $crate::config) fn read(reader: &mut $crate::config::reader::SettingsReader) -> Self {
                let _ = &reader; // where there is no field
                let settings = Self { $($field: reader.read(&$source),)* };
                $($check(&settings, reader);)?
                settings
            }
        }
    };
}

pub(super) use {settings, variables};
