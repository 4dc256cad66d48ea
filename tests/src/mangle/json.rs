//! Mutations of JSON values: wrong types, missing and doubled members, odd text, numbers and depths that nobody expects.

use serde_json::{Map, Number, Value, json};

use super::{Mangled, Step, some};
use crate::crowded::Draw;

const STEPS: &[Step<Vec<Value>>] = &[
    ("another type", |draw, values| replace(draw, values, odd_value)),
    ("a huge number", |draw, values| replace(draw, values, huge_number)),
    ("odd text", |draw, values| replace(draw, values, odd_text)),
    ("nested deep", |draw, values| replace(draw, values, deep)),
    ("a member removed", |draw, values| {
        members(draw, values, |draw, object| {
            let key = draw.one_of(&keys(object)).to_owned();
            object.remove(&key);
        });
    }),
    ("a member under another name", |draw, values| {
        members(draw, values, |draw, object| {
            let from = draw.one_of(&keys(object)).to_owned();
            let to = draw.one_of(&["id", "subject", "period", "meta", "class", "", "ID", "resourceType", "entry"]);
            if let Some(value) = object.remove(&from) {
                object.insert(to.to_owned(), value);
            }
        });
    }),
    ("a value in another's place", |draw, values| {
        let from = draw.number_less_than(values.len());
        let value = node(draw, &mut values[from]).clone();
        replace(draw, values, |_| value);
    }),
    ("a resource doubled", |draw, values| {
        let from = draw.number_less_than(values.len());
        values.push(values[from].clone());
    }),
    ("a resource removed", |draw, values| {
        let gone = draw.number_less_than(values.len());
        values[gone] = Value::Null;
    }),
    ("in a list", |draw, values| replace_node(draw, values, |value| json!([value]))),
    ("in a Bundle", |draw, values| {
        let depth = draw.one_of(&[1, 2, 9, 30]);
        let mut value = Value::Array(std::mem::take(values));
        for _ in 0..depth {
            let resources = value.as_array().cloned().unwrap_or_default();
            let entries: Vec<Value> = resources.into_iter().map(|resource| json!({ "resource": resource })).collect();
            value = json!([{ "resourceType": "Bundle", "type": "collection", "entry": entries }]);
        }
        values.extend(value.as_array().cloned().unwrap_or_default());
    }),
    ("deleted", |draw, values| {
        let at = draw.number_less_than(values.len());
        let method = draw.one_of(&["DELETE", "GET", "PUT", "delete", ""]);
        let id = values[at]["id"].clone();
        let entry = json!({"request": {"method": method, "url": format!("Encounter/{}", id.as_str().unwrap_or("?x=y"))},
            "response": {"status": draw.one_of(&["204", "404", "", "200 OK"])}, "resource": values[at]});
        values[at] = json!({"resourceType": "Bundle", "type": "history", "entry": [entry]});
    }),
];

/// Mangles the values of a file, and writes them as lines, as an array, or over many lines.
pub(super) fn mangle(draw: &mut Draw, mangled: &mut Mangled) {
    let stream = serde_json::Deserializer::from_slice(&mangled.bytes).into_iter::<Value>();
    let mut values: Vec<Value> = stream.map_while(Result::ok).collect();
    if values.is_empty() {
        return;
    }
    some(draw, STEPS, &mut values, &mut mangled.steps);
    let lines = |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
    let mut text = match draw.number_less_than(4) {
        0 => Value::Array(values).to_string(),
        1 => values.iter().map(pretty).collect::<Vec<_>>().join("\n"),
        _ => lines(&values),
    };
    if draw.percent(20) {
        doubled_key(draw, &mut text);
        mangled.steps.push("a key twice".to_owned());
    }
    mangled.bytes = text.into_bytes();
}

/// What stands behind one of the keys stands there twice, with another value.
fn doubled_key(draw: &mut Draw, text: &mut String) {
    let places: Vec<usize> = text.match_indices("\":").map(|(at, _)| at).collect();
    let Some(end) = (!places.is_empty()).then(|| draw.one_of(&places)) else { return };
    let Some(start) = text[..end].rfind('"') else { return };
    let key = text[start..end].to_owned();
    text.insert_str(start, &format!("{key}\":{},", odd_value(draw)));
}

fn keys(object: &Map<String, Value>) -> Vec<&str> {
    object.keys().map(String::as_str).collect()
}

/// A value somewhere in a value.
fn node<'a>(draw: &mut Draw, value: &'a mut Value) -> &'a mut Value {
    let inner = match value {
        Value::Array(list) => list.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    if inner == 0 || draw.percent(15) {
        return value;
    }
    let at = draw.number_less_than(inner);
    let next = match value {
        Value::Array(list) => list.get_mut(at),
        Value::Object(object) => object.values_mut().nth(at),
        _ => None,
    };
    node(draw, next.expect("one of them"))
}

fn replace_node(draw: &mut Draw, values: &mut [Value], with: impl FnOnce(Value) -> Value) {
    let at = draw.number_less_than(values.len());
    let node = node(draw, &mut values[at]);
    *node = with(node.take());
}

fn replace(draw: &mut Draw, values: &mut [Value], with: impl FnOnce(&mut Draw) -> Value) {
    let value = with(draw);
    replace_node(draw, values, |_| value);
}

/// Does something to the members of an object that has some.
fn members(draw: &mut Draw, values: &mut [Value], with: impl FnOnce(&mut Draw, &mut Map<String, Value>)) {
    for _ in 0..5 {
        let at = draw.number_less_than(values.len());
        if let Value::Object(object) = node(draw, &mut values[at])
            && !object.is_empty()
        {
            return with(draw, object);
        }
    }
}

fn odd_value(draw: &mut Draw) -> Value {
    match draw.number_less_than(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(17),
        3 => json!({}),
        4 => json!([]),
        5 => json!([null, "x", {"y": []}]),
        6 => json!({"reference": "Patient/", "value": 1, "extension": [{"url": 5}]}),
        7 => json!("2025-02-30T25:61:00Z"),
        _ => json!(""),
    }
}

fn huge_number(draw: &mut Draw) -> Value {
    let words = ["1e400", "-1e-400", "99999999999999999999999999", "1e308", "-0", "9223372036854775808", "0.1e+5"];
    let word = draw.one_of(&words);
    // As the text would have it, where it is a number at all; else as a string.
    word.parse::<f64>().ok().and_then(Number::from_f64).map_or_else(|| json!(word), Value::Number)
}

fn odd_text(draw: &mut Draw) -> Value {
    let words = [
        "\u{0}",
        "\u{feff}x",
        "\u{202e}drawkcab",
        "a\u{301}\u{301}\u{301}",
        "👩‍👩‍👧‍👦",
        "\u{10ffff}",
        "İı",
        "\u{2028}",
        "a:b",
        "../../etc/passwd",
        "=1+1",
        "<script>",
        "'; DROP TABLE stay; --",
        " ",
        "Patient/x/_history/y/z",
        "urn:uuid:",
        "#",
        "Patient?identifier=|",
        "%00%zz",
        "9999-12-31T23:59:59.999999999+14:00",
        "0000-00-00",
        "24:00",
        "-2025-01-01",
    ];
    let word = draw.one_of(&words);
    json!(if draw.percent(10) { word.repeat(3_000) } else { word.to_owned() })
}

fn deep(draw: &mut Draw) -> Value {
    let depth = draw.one_of(&[99, 101, 126, 127, 128, 129, 500]);
    let list = draw.percent(50);
    (0..depth).fold(Value::Null, |value, _| if list { Value::Array(vec![value]) } else { json!({ "a": value }) })
}
