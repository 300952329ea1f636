//! Typed requests: each endpoint declares a struct with [`crate::request!`], and the struct tells how to read itself from a
//! request and what to print in the help page and the OpenAPI document.

use crate::Fault;
use crypto::Secret;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use wire::scalar;

/// The parameters of a request: body, query and path merged, the path winning.
#[derive(Clone, Default)]
pub struct Input {
    /// All parameters by name.
    pub fields: Map<String, Value>,
    /// The body alone, as sent, for engines that store what they are given.
    pub body: Map<String, Value>,
}

impl Input {
    /// A parameter; `null` counts as absent, as it does upstream.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Whether a parameter was sent at all, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

/// A parameter's type in the OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `boolean`
    Boolean,
    /// `array` of strings
    Array,
    /// `object`
    Object,
    /// `string` in format `seconds`
    Seconds,
    /// `number` or anything else
    Any,
}

/// One declared parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldKind,
    /// What it is for.
    pub description: &'static str,
}

/// A struct that reads itself from a request.
pub trait RequestBody: Sized {
    /// The parameters it declares.
    fn fields() -> Vec<Field>;
    /// Reads it; a wrong type is a 400 that names the field and not the value.
    fn parse(input: &Input) -> Result<Self, Fault>;
}

/// A parameter type.
pub trait FieldType: Sized {
    /// As documented.
    const KIND: FieldKind;
    /// Reads it; absent and `null` are `None`.
    fn take(value: Option<&Value>) -> Result<Self, scalar::ScalarError>;
}

/// A duration in seconds, from a number or a Go duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);
/// A list from an array or a comma-separated string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommaList(pub Vec<String>);
/// A list from an array or a single string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StringList(pub Vec<String>);
/// String pairs from an object or a list of `k=v`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub BTreeMap<String, String>);
/// A JSON object.
#[derive(Clone, Default, PartialEq)]
pub struct Object(pub Map<String, Value>);
/// A string that is a secret; absent is empty.
pub struct SecretText(pub Secret<String>);

macro_rules! field_type {
    ($($type:ty, $kind:ident, $value:ident => $read:expr;)*) => {$(
        impl FieldType for $type {
            const KIND: FieldKind = FieldKind::$kind;
            fn take(value: Option<&Value>) -> Result<Self, scalar::ScalarError> {
                let Some($value) = value else { return Ok(Default::default()) };
                $read
            }
        }
    )*};
}

field_type! {
    String, String, value => scalar::string(value);
    bool, Boolean, value => scalar::boolean(value);
    i64, Integer, value => scalar::integer(value);
    u64, Integer, value => u64::try_from(scalar::integer(value)?).map_err(|_| scalar::ScalarError("a non-negative integer"));
    Seconds, Seconds, value => scalar::seconds(value).map(Seconds);
    CommaList, Array, value => scalar::comma_list(value).map(CommaList);
    StringList, Array, value => scalar::string_list(value).map(StringList);
    Pairs, Object, value => scalar::pairs(value).map(Pairs);
    Value, Any, value => Ok(value.clone());
}

impl FieldType for Object {
    const KIND: FieldKind = FieldKind::Object;
    fn take(value: Option<&Value>) -> Result<Self, scalar::ScalarError> {
        match value {
            None => Ok(Self::default()),
            Some(Value::Object(members)) => Ok(Self(members.clone())),
            Some(_) => Err(scalar::ScalarError("an object")),
        }
    }
}

impl FieldType for SecretText {
    const KIND: FieldKind = FieldKind::String;
    fn take(value: Option<&Value>) -> Result<Self, scalar::ScalarError> {
        String::take(value).map(|text| Self(Secret::new(text)))
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const KIND: FieldKind = T::KIND;
    fn take(value: Option<&Value>) -> Result<Self, scalar::ScalarError> {
        value.map(|value| T::take(Some(value))).transpose()
    }
}

impl RequestBody for Input {
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn parse(input: &Input) -> Result<Self, Fault> {
        Ok(input.clone())
    }
}

impl RequestBody for () {
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn parse(_input: &Input) -> Result<Self, Fault> {
        Ok(())
    }
}

impl<A: RequestBody, B: RequestBody> RequestBody for (A, B) {
    fn fields() -> Vec<Field> {
        let mut fields = A::fields();
        fields.extend(B::fields());
        fields
    }
    fn parse(input: &Input) -> Result<Self, Fault> {
        Ok((A::parse(input)?, B::parse(input)?))
    }
}

/// Reads one field; used by [`crate::request!`].
pub fn take_field<T: FieldType>(input: &Input, name: &'static str) -> Result<T, Fault> {
    T::take(input.field(name)).map_err(|error| {
        Fault::invalid(format!("Field validation failed: error converting input for field {name:?}: {error}"))
    })
}

/// The wire name of a Rust field: `r#type` is `type`.
pub const fn wire_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Declares the request of an endpoint.
///
/// ```ignore
/// request! {
///     /// Creates or updates a role.
///     pub struct WriteRole {
///         /// Name of the role.
///         role_name: String,
///         /// Uses of each secret-id; 0 is no limit.
///         secret_id_num_uses: Option<i64>,
///         /// A wire name that is no identifier.
///         min_chars as "min-chars": i64,
///     }
/// }
/// ```
#[macro_export]
macro_rules! request {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[doc = $doc:literal])* $field:ident $(as $wire:literal)? : $type:ty ),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $( $(#[doc = $doc])* pub $field: $type ),* }

        impl $crate::RequestBody for $name {
            fn fields() -> Vec<$crate::Field> {
                vec![$( $crate::Field {
                    name: $crate::request!(@name $field $($wire)?),
                    kind: <$type as $crate::FieldType>::KIND,
                    description: concat!($($doc),*).trim_ascii(),
                } ),*]
            }
            fn parse(input: &$crate::Input) -> Result<Self, $crate::Fault> {
                let _ = input;
                Ok(Self { $( $field: $crate::take_field(input, $crate::request!(@name $field $($wire)?))? ),* })
            }
        }
    };
    (@name $field:ident $wire:literal) => { $wire };
    (@name $field:ident) => { $crate::wire_name(stringify!($field)) };
}
