//! Checks that a body is valid JSON, an object, and has no null character. Every byte is read, so that UTF-8, numbers and
//! depth are checked in unused fields, too; almost nothing is kept.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How many fields with a null character are reported at most.
const MAX_NAMED: usize = 16;

/// The outermost value of a body.
pub(super) enum Shape {
    Object {
        /// The first fields that contain a null character.
        with_nul: Vec<String>,
    },
    Other,
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
        let mut with_nul = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let HasNul(has_nul) = map.next_value()?;
            if (has_nul || name.contains('\0')) && with_nul.len() < MAX_NAMED {
                with_nul.push(name);
            }
        }
        Ok(Shape::Object { with_nul })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Shape, A::Error> {
        NulVisitor.visit_seq(seq).map(|_| Shape::Other)
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

/// Whether any text within a value has a null character.
struct HasNul(bool);

impl<'de> Deserialize<'de> for HasNul {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NulVisitor)
    }
}

struct NulVisitor;

impl<'de> Visitor<'de> for NulVisitor {
    type Value = HasNul;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HasNul, A::Error> {
        let mut has_nul = false;
        while let Some((HasNul(name), HasNul(value))) = map.next_entry()? {
            has_nul |= name || value;
        }
        Ok(HasNul(has_nul))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HasNul, A::Error> {
        let mut has_nul = false;
        while let Some(HasNul(item)) = seq.next_element()? {
            has_nul |= item;
        }
        Ok(HasNul(has_nul))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<HasNul, E> {
        Ok(HasNul(false))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<HasNul, E> {
        Ok(HasNul(false))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<HasNul, E> {
        Ok(HasNul(false))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<HasNul, E> {
        Ok(HasNul(false))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HasNul, E> {
        Ok(HasNul(text.contains('\0')))
    }

    fn visit_unit<E: Error>(self) -> Result<HasNul, E> {
        Ok(HasNul(false))
    }
}
