//! What a real phone sends to a real server, recorded for verifiers of HTTP message signatures by other authors
//! (`tests/interop/`): every route that a phone signs, but the one whose answer has no end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sotay_client::documents::{AttachmentForm, DocumentForm, SectionForm};

use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::profile::ProfileField;

use crate::commune::{
    AppointmentPlan, CommunePlan, MemberPlan, OrganisationPlan, invitation, join,
};
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;
use crate::relay::Relay;
use crate::server::{Program, ServerProcess};

/// Bytes of the attachment that goes up and down: more than one piece.
const ATTACHMENT: usize = 600_000;

/// A phone joins, syncs, publishes a document with an attachment, lists its phones; a second one of the same member fetches it. Gives
/// each request as JSON: `method`, `url`, `headers` (pairs), `body` (base64).
pub fn record() -> Result<Vec<Value>, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("sotay-recording-")
        .tempdir()?;
    let data = folder.path().join("server");
    let now = sotay_server::system_clock();
    plan().enter(&data, now)?;
    let server = ServerProcess::start(&Program::ours()?, &data, ([127, 0, 0, 1], 0).into())?;
    let relay = Relay::to(server.address(), &data)?;
    relay.keep();
    let host = relay.address().to_string();
    let phone = |name: &str| -> Result<Phone, Failure> {
        let phone = Phone::new(folder.path(), name)?;
        let invited = invitation(&data, "m01", &host)?;
        join(phone.handbook(), &data, invited.text(), name)?;
        phone.handbook().sync()?;
        Ok(phone)
    };
    let (first, second) = (phone("first")?, phone("second")?);
    let file = folder.path().join("to attach.pdf");
    std::fs::write(&file, vec![7; ATTACHMENT])?;
    let document = first.handbook().publish_document_with_attachments(
        DocumentForm {
            title: "Nghị quyết mẫu".into(),
            number: None,
            issuer: "Chi ủy mẫu".into(),
            kind: DocumentKind::Resolution,
            level: ConfidentialityLevel::Internal,
            issued_on: now.date(),
            for_meeting: None,
            sections: vec![SectionForm {
                number: "1".into(),
                heading: "Mục".into(),
                text: "Xem tệp đính kèm.".into(),
            }],
        },
        vec![AttachmentForm {
            name: "Nghị quyết.pdf".into(),
            media_type: "application/pdf".into(),
            path: file.to_string_lossy().into_owned(),
        }],
    )?;
    first.handbook().sync()?;
    first
        .handbook()
        .request_correction(ProfileField::Name, "Tên có dấu khác".into())?;
    first.handbook().sync()?;
    first.handbook().phones()?;
    second.handbook().sync()?;
    second.handbook().fetch_attachment(document, 0)?;
    relay.kept().iter().map(|bytes| request(bytes)).collect()
}

/// A cell whose secretary is m01.
fn plan() -> CommunePlan {
    let organisation = |code: &str, level: &str, above: Option<&str>| OrganisationPlan {
        code: code.into(),
        name: format!("Tổ chức mẫu {code}"),
        level: level.into(),
        above: above.map(str::to_owned),
    };
    CommunePlan {
        organisations: vec![
            organisation("xa", "CommuneCommittee", None),
            organisation("c1", "PartyCell", Some("xa")),
        ],
        members: vec![MemberPlan {
            code: "m01".into(),
            name: "Đồng chí Mẫu 01".into(),
            cell: "c1".into(),
            status: "Official".into(),
            ..MemberPlan::default()
        }],
        appointments: vec![AppointmentPlan {
            member: "m01".into(),
            organisation: "c1".into(),
            role: "Secretary".into(),
        }],
    }
}

/// A request as it came.
fn request(bytes: &[u8]) -> Result<Value, Failure> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        fail!("a request without a head");
    };
    let (head, body) = (std::str::from_utf8(&bytes[..end])?, &bytes[end + 4..]);
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, _] = words.as_slice() else {
        fail!("not a request: {head}");
    };
    let headers: Vec<(&str, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let Some((_, host)) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
    else {
        fail!("a request without a host: {head}");
    };
    Ok(json!({
        "method": method,
        "url": format!("https://{host}{target}"),
        "headers": headers,
        "body": BASE64.encode(body),
    }))
}
