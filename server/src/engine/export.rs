//! What stands about a member in the own scope, and the phones, in a form that the member can read and take along. Roll calls, the audit log
//! and invitations are not in it.

use minicbor::data::Type;
use minicbor::{Decoder, decode};
use serde_json::{Map, Value, json};
use sotay_model::inventory::{self, Shape};
use sotay_model::{CalendarDate, MemberId, RecordKey, Scope, cbor::MAX_DEPTH};

use super::EngineError;
use crate::storage::{StorageError, Transaction};

const DAMAGED: StorageError = StorageError::Damaged { what: "record" };

/// What a member's own scope shows, and the member's phones: JSON, one object. Moments are milliseconds since 1970.
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
        let shape = inventory::of(kind).map_or(Shape::Plain, |entry| Shape::Map(entry.fields));
        records.push(json!({
            "kind": kind.name(),
            "record": key.to_string(),
            "contents": value(&mut Decoder::new(&body), shape, MAX_DEPTH).map_err(|_| DAMAGED)?,
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

/// A CBOR value as JSON, with the names of fields and codes as they are declared. What a newer version wrote stands under its number; bytes
/// stand in hexadecimal.
fn value(decoder: &mut Decoder<'_>, shape: Shape, depth: usize) -> Result<Value, decode::Error> {
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
            match shape {
                Shape::RecordKey => RecordKey::from_bytes(bytes).map(|key| key.to_string()).ok(),
                _ => None,
            }
            .unwrap_or_else(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            .into()
        }
        Type::Array => {
            let mut items = Vec::new();
            for _ in 0..decoder.array()?.unwrap_or(0) {
                items.push(value(decoder, shape, depth)?);
            }
            items.into()
        }
        Type::Map => {
            let known = match shape {
                Shape::Map(fields) => fields,
                _ => &[],
            };
            let mut fields = Map::new();
            for _ in 0..decoder.map()?.unwrap_or(0) {
                let key = decoder.u32()?;
                let field = known.iter().find(|field| field.number == key);
                let name = field.map_or_else(|| key.to_string(), |field| field.name.to_owned());
                let shape = field.map_or(Shape::Plain, |field| field.shape);
                fields.insert(name, value(decoder, shape, depth)?);
            }
            fields.into()
        }
        _ => match shape {
            Shape::Code(names) => {
                let code = decoder.u32()?;
                match names.iter().find(|(number, _)| *number == code) {
                    Some((_, name)) => (*name).into(),
                    None => code.into(),
                }
            }
            Shape::CalendarDate => decoder.decode::<CalendarDate>()?.to_string().into(),
            _ => decoder.i64()?.into(),
        },
    })
}
