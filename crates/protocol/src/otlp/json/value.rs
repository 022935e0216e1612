//! Values and attributes.

use serde::de::{IgnoredAny, MapAccess};

use super::object::{FromJson, Object, object, value};
use crate::otlp::bounds::Bounds;
use crate::otlp::value::{AnyValue, KeyValue};

object!(KeyValue<'de>, "a key and a value", { "key" => key, "value" => value });

impl<'de> Object<'de> for AnyValue<'de> {
    const WHAT: &'static str = "a value, as {\"stringValue\": …}";

    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        bounds: &Bounds,
    ) -> Result<bool, A::Error> {
        // Of several kinds the last one holds; `null` is none.
        let read = match name {
            "stringValue" => value::<_, Option<_>>(map, bounds)?.map(AnyValue::Text),
            "boolValue" => value::<_, Option<_>>(map, bounds)?.map(AnyValue::Bool),
            "intValue" => value::<_, Option<_>>(map, bounds)?.map(AnyValue::Int),
            "doubleValue" => value::<_, Option<_>>(map, bounds)?.map(AnyValue::Double),
            "bytesValue" => value::<_, Option<_>>(map, bounds)?.map(AnyValue::Bytes),
            "arrayValue" => nested(map, bounds, AnyValue::Array)?,
            "kvlistValue" => nested(map, bounds, AnyValue::Map)?,
            _ => return Ok(false),
        };
        if let Some(read) = read {
            *self = read;
        }
        Ok(true)
    }
}

/// The object around a list of values (`ArrayValue`, `KeyValueList`).
struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: FromJson<'de>> Object<'de> for List<T> {
    const WHAT: &'static str = "a list, as {\"values\": […]}";

    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        bounds: &Bounds,
    ) -> Result<bool, A::Error> {
        let is_known = name == "values";
        if is_known {
            self.0 = value(map, bounds)?;
        }
        Ok(is_known)
    }
}

/// Reads a list of values; one that lies too deep is passed over, which takes no stack.
fn nested<'de, A: MapAccess<'de>, T: FromJson<'de>>(
    map: &mut A,
    bounds: &Bounds,
    value_of: fn(Vec<T>) -> AnyValue<'de>,
) -> Result<Option<AnyValue<'de>>, A::Error> {
    if !bounds.enter() {
        map.next_value::<IgnoredAny>()?;
        return Ok(Some(AnyValue::passed_over()));
    }
    let list = value::<_, Option<List<T>>>(map, bounds)?;
    bounds.leave();
    Ok(list.map(|List(values)| value_of(values)))
}
