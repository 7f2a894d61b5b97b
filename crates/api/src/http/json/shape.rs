//! A body's outline: which fields it has and of which types, and where there is a null character. Every byte is read, so
//! that UTF-8, numbers and depth count in fields that nobody asks for, too; hardly anything is kept.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// More fields than any request has: what comes behind is read, but not explained.
pub(super) const MOST_FIELDS: usize = 16;

/// A body.
pub(super) enum Shape {
    Object(Fields),
    Other,
}

/// The fields of an object.
#[derive(Default)]
pub(super) struct Fields {
    /// The first ones by name; of lists and objects only that they are.
    pub(super) kept: Map<String, Value>,
    /// Whether there are no others.
    pub(super) are_all: bool,
    /// The first fields with a null character in them.
    pub(super) with_nul: Vec<String>,
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut fields = Fields { are_all: true, ..Fields::default() };
        while let Some(name) = map.next_key::<String>()? {
            let outline: Outline = map.next_value()?;
            if (outline.has_nul || name.contains('\0')) && fields.with_nul.len() < MOST_FIELDS {
                fields.with_nul.push(name.clone());
            }
            if fields.kept.len() < MOST_FIELDS {
                fields.kept.insert(name, outline.value);
            } else {
                fields.are_all = false;
            }
        }
        Ok(Shape::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Shape, A::Error> {
        OutlineVisitor.visit_seq(seq).map(|_| Shape::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}

/// A value: its type, and whether a text in it has a null character.
struct Outline {
    value: Value,
    has_nul: bool,
}

impl Outline {
    fn of(value: impl Into<Value>) -> Self {
        Self { value: value.into(), has_nul: false }
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut has_nul = false;
        while let Some((name, outline)) = map.next_entry::<Outline, Outline>()? {
            has_nul |= name.has_nul || outline.has_nul;
        }
        Ok(Outline { value: Value::Object(Map::new()), has_nul })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Outline, A::Error> {
        let mut has_nul = false;
        while let Some(outline) = seq.next_element::<Outline>()? {
            has_nul |= outline.has_nul;
        }
        Ok(Outline { value: Value::Array(Vec::new()), has_nul })
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Outline, E> {
        Ok(Outline::of(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Outline, E> {
        Ok(Outline::of(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Outline, E> {
        Ok(Outline::of(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Outline, E> {
        Ok(Outline::of(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Outline, E> {
        // What a text says explains nothing, and an empty one takes no memory.
        Ok(Outline { value: Value::String(String::new()), has_nul: text.contains('\0') })
    }

    fn visit_unit<E: Error>(self) -> Result<Outline, E> {
        Ok(Outline::of(()))
    }
}
