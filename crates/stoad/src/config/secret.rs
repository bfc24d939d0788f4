//! What is not for everybody's eyes, by its type.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What is shown in a secret's place.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A secret of the configuration: whoever prints, logs or writes down what has one shows [`HIDDEN`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "writeOnly": true})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_it_who_does_not_ask_for_it() {
        let secret: Secret = serde_yaml::from_str("s3cret").expect("a text");
        assert_eq!(secret.expose(), "s3cret");
        let shown = [
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            serde_yaml::to_string(&secret).expect("a text"),
            serde_json::to_string(&secret).expect("a text"),
        ];
        for text in shown {
            assert!(text.contains(HIDDEN) && !text.contains("s3cret"), "{text}");
        }
    }
}
