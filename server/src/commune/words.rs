//! The words of a list: how columns and statuses may be called.

use std::fmt;

use sotay_model::organisation::MemberStatus;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A column that is read. Others are left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// mã
    Code,
    /// họ và tên
    Name,
    /// chi bộ
    Cell,
    /// trạng thái
    Status,
    /// ngày sinh, năm sinh
    Born,
    /// ngày vào Đảng
    AdmittedOn,
    /// ngày chính thức
    OfficialOn,
    /// số thẻ
    CardNumber,
    /// ngày cấp thẻ
    CardIssuedOn,
    /// nơi cấp thẻ
    CardIssuedBy,
    /// điện thoại
    Phone,
}

/// How each column may be called, folded as by [`fold`]. The first name is ours.
pub(super) const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Code,
        &["code", "ma", "ma so", "ma dang vien", "ma dv"],
    ),
    (
        Column::Name,
        &["name", "ho va ten", "ho ten", "ho va ten khai sinh"],
    ),
    (Column::Cell, &["cell", "chi bo", "ten chi bo"]),
    (
        Column::Status,
        &["status", "trang thai", "tinh trang", "loai dang vien"],
    ),
    (
        Column::Born,
        &[
            "date_of_birth",
            "date of birth",
            "born",
            "ngay sinh",
            "nam sinh",
            "ngay thang nam sinh",
        ],
    ),
    (
        Column::AdmittedOn,
        &[
            "admitted_on",
            "admitted on",
            "ngay vao dang",
            "ngay ket nap",
        ],
    ),
    (
        Column::OfficialOn,
        &[
            "official_on",
            "official on",
            "ngay chinh thuc",
            "ngay cong nhan chinh thuc",
        ],
    ),
    (
        Column::CardNumber,
        &[
            "card_number",
            "card number",
            "so the",
            "so the dang vien",
            "so the dang",
        ],
    ),
    (
        Column::CardIssuedOn,
        &["card_issued_on", "card issued on", "ngay cap the"],
    ),
    (
        Column::CardIssuedBy,
        &["card_issued_by", "card issued by", "noi cap the"],
    ),
    (
        Column::Phone,
        &["phone", "dien thoai", "so dien thoai", "sdt", "di dong"],
    ),
];

/// How each status may be called, folded.
pub(super) const STATUSES: &[(MemberStatus, &[&str])] = &[
    (
        MemberStatus::Official,
        &["official", "chinh thuc", "dang vien chinh thuc"],
    ),
    (
        MemberStatus::Probationary,
        &["probationary", "du bi", "dang vien du bi"],
    ),
    (
        MemberStatus::Exempt,
        &[
            "exempt",
            "mien",
            "mien sinh hoat",
            "mien cong tac va sinh hoat",
            "mien cong tac",
        ],
    ),
    (
        MemberStatus::Suspended,
        &["suspended", "dinh chi", "dinh chi sinh hoat"],
    ),
    (
        MemberStatus::Transferred,
        &["transferred", "chuyen sinh hoat", "da chuyen sinh hoat"],
    ),
    (MemberStatus::Removed, &["removed", "xoa ten"]),
    (MemberStatus::Expelled, &["expelled", "khai tru"]),
    (MemberStatus::Candidate, &["candidate", "quan chung uu tu"]),
];

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = HEADINGS.iter().find(|(column, _)| column == self);
        f.write_str(
            names
                .and_then(|(_, names)| names.first())
                .copied()
                .unwrap_or_default(),
        )
    }
}

/// What a word stands for in a list of names.
pub(super) fn named<T: Copy>(names: &[(T, &[&str])], text: &str) -> Option<T> {
    let folded = fold(text);
    names
        .iter()
        .find(|(_, names)| names.contains(&folded.as_str()))
        .map(|(value, _)| *value)
}

/// Normal form C, every run of white space one space.
pub(super) fn tidy(text: &str) -> String {
    text.nfc()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// For comparing words: lower case, without tone and vowel marks, `đ` as `d`, without punctuation.
fn fold(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'đ' => 'd',
            c if c.is_alphanumeric() || c == '_' => c,
            _ => ' ',
        })
        .collect();
    tidy(&plain)
}
