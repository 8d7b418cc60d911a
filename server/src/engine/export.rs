//! Everything the server keeps about a member, in a form that the member can read and take along.

use minicbor::data::Type;
use minicbor::{Decoder, decode};
use serde_json::{Map, Value, json};
use sotay_model::{MemberId, Scope, cbor::MAX_DEPTH};

use super::EngineError;
use crate::storage::{StorageError, Transaction};

const DAMAGED: StorageError = StorageError::Damaged { what: "record" };

/// What a member's own scope shows, and the member's phones: JSON, one object. Keys that a record numbers are those of docs/records.md.
pub(super) fn of_member(
    transaction: &Transaction<'_>,
    member: MemberId,
) -> Result<String, EngineError> {
    let scope = Scope::person(member);
    let mut bodies = Vec::new();
    transaction.listing(scope, 0, |row| {
        if let Some((kind, _, body)) = row.content {
            bodies.push((kind, row.key, body));
        }
        true
    })?;
    let mut records = Vec::new();
    for (kind, key, body) in bodies {
        records.push(json!({
            "kind": kind.name(),
            "record": key.to_string(),
            "contents": value(&mut Decoder::new(&body), MAX_DEPTH).map_err(|_| DAMAGED)?,
        }));
    }
    let phones: Vec<_> = transaction
        .installations_of(member)?
        .into_iter()
        .map(|phone| json!({ "name": phone.device_name, "since": phone.enrolled_at.0 }))
        .collect();
    let export = json!({ "member": member.to_string(), "records": records, "phones": phones });
    Ok(export.to_string())
}

/// A CBOR value as JSON: bytes in hexadecimal, the keys of maps as text.
fn value(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| decode::Error::message("nested too deeply"))?;
    Ok(match decoder.datatype()? {
        Type::Bool => decoder.bool()?.into(),
        Type::Null => {
            decoder.null()?;
            Value::Null
        }
        Type::String => decoder.str()?.into(),
        Type::Bytes => {
            let bytes = decoder.bytes()?;
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            digits.into()
        }
        Type::Array => {
            let mut items = Vec::new();
            for _ in 0..decoder.array()?.unwrap_or(0) {
                items.push(value(decoder, depth)?);
            }
            items.into()
        }
        Type::Map => {
            let mut fields = Map::new();
            for _ in 0..decoder.map()?.unwrap_or(0) {
                let key = decoder.u32()?;
                fields.insert(key.to_string(), value(decoder, depth)?);
            }
            fields.into()
        }
        _ => decoder.i64()?.into(),
    })
}
