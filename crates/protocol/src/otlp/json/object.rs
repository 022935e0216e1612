//! How values are read from JSON within bounds: objects by a table of their fields, lists, and values that need not be
//! there.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::otlp::bounds::Bounds;

/// A value that is read from JSON.
pub(super) trait FromJson<'de>: Sized + Default {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error>;
}

/// An object.
pub(super) trait Object<'de>: Default {
    /// What it is, for errors.
    const WHAT: &'static str;

    /// Reads the value of a field; `false` when there is no such field, and nothing was read.
    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        bounds: &Bounds,
    ) -> Result<bool, A::Error>;
}

/// Says which fields of an object are which of a struct. With a variant behind it, a field is one of several kinds of
/// the same value, and is left alone where it is `null`. With `as` and a type behind it, it is read as that.
macro_rules! object {
    ($type:ty, $what:literal, { $($name:literal => $field:ident $(: $variant:path)? $(as $sent:ty)?),* $(,)? }) => {
        impl<'de> $crate::otlp::json::object::Object<'de> for $type {
            const WHAT: &'static str = $what;

            fn field<A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
                bounds: &$crate::otlp::bounds::Bounds,
            ) -> Result<bool, A::Error> {
                let into = self;
                match name {
                    $($name => object!(@set into.$field, map, bounds $(, $variant)? $(, as $sent)?),)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
    (@set $into:ident.$field:ident, $map:ident, $bounds:ident) => {
        $into.$field = $crate::otlp::json::object::value($map, $bounds)?
    };
    (@set $into:ident.$field:ident, $map:ident, $bounds:ident, as $sent:ty) => {
        $into.$field = $crate::otlp::json::object::value::<_, $sent>($map, $bounds)?.into()
    };
    (@set $into:ident.$field:ident, $map:ident, $bounds:ident, $variant:path) => {
        if let Some(one) = $crate::otlp::json::object::value::<_, Option<_>>($map, $bounds)? {
            $into.$field = Some($variant(one));
        }
    };
}
pub(super) use object;

/// Reads the value of the present field.
pub(super) fn value<'de, A: MapAccess<'de>, T: FromJson<'de>>(
    map: &mut A,
    bounds: &Bounds,
) -> Result<T, A::Error> {
    map.next_value_seed(Seed::new(bounds))
}

/// Reads a value, or what is its default where it is `null`.
pub(super) struct Seed<'b, T> {
    bounds: &'b Bounds,
    kind: PhantomData<T>,
}

impl<'b, T> Seed<'b, T> {
    pub(super) fn new(bounds: &'b Bounds) -> Self {
        Self { bounds, kind: PhantomData }
    }
}

impl<'de, T: FromJson<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: FromJson<'de>> Visitor<'de> for Seed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::from_json(deserializer, self.bounds)
    }
}

impl<'de, T: FromJson<'de>> FromJson<'de> for Option<T> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
        T::from_json(deserializer, bounds).map(Some)
    }
}

impl<'de, T: Object<'de>> FromJson<'de> for T {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor { bounds, kind: PhantomData })
    }
}

/// Reads the name of a field.
struct Name<'b>(&'b Bounds);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Cow::from_json(deserializer, self.0)
    }
}

struct ObjectVisitor<'b, T> {
    bounds: &'b Bounds,
    kind: PhantomData<T>,
}

impl<'de, T: Object<'de>> Visitor<'de> for ObjectVisitor<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(name) = map.next_key_seed(Name(self.bounds))? {
            if !object.field(&name, &mut map, self.bounds)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

impl<'de, T: FromJson<'de>> FromJson<'de> for Vec<T> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor { bounds, kind: PhantomData })
    }
}

struct ListVisitor<'b, T> {
    bounds: &'b Bounds,
    kind: PhantomData<T>,
}

impl<'de, T: FromJson<'de>> Visitor<'de> for ListVisitor<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        // An item counts before what lies in it does, or else there would be no room for the one that filled it.
        while !self.bounds.is_full() && self.bounds.count(1) {
            let Some(item) = seq.next_element_seed(Seed::new(self.bounds))? else {
                self.bounds.give_back();
                return Ok(list);
            };
            list.push(item);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            self.bounds.pass_over();
        }
        Ok(list)
    }
}
