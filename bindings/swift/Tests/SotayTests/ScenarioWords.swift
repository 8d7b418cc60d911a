import Foundation
import Sotay
import SotayTestSupport

/// The arguments of a command, by name.
struct Arguments {
    let of: String?
    var fields: [String: Plain] = [:]

    init(of: String?, with: Plain?) {
        self.of = of
        if case .object(let fields)? = with { self.fields = fields }
    }

    subscript(name: String) -> Plain { fields[name] ?? .null }

    func key() throws -> String {
        guard let of else { throw ScenarioFault("of is missing") }
        return of
    }

    func text(_ name: String, default value: String? = nil) throws -> String {
        guard let text = self[name].text ?? value else { throw ScenarioFault("\(name) is missing") }
        return text
    }

    func number(_ name: String) throws -> UInt32 {
        guard case .integer(let number) = self[name] else { throw ScenarioFault("\(name) is missing") }
        return UInt32(number)
    }

    func flag(_ name: String, default value: Bool? = nil) throws -> Bool {
        if case .bool(let flag) = self[name] { return flag }
        guard let value else { throw ScenarioFault("\(name) is missing") }
        return value
    }

    func instant(_ name: String) throws -> Date {
        guard case .integer(let milliseconds) = self[name] else { throw ScenarioFault("\(name) is missing") }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    func list(_ name: String) -> [Plain] {
        if case .list(let elements) = self[name] { elements } else { [] }
    }

    func texts(_ name: String) -> [String] { list(name).compactMap(\.text) }

    func code<Code>(_ name: String, _ all: [Code], default value: Code? = nil) throws -> Code {
        guard let text = self[name].text else {
            guard let value else { throw ScenarioFault("\(name) is missing") }
            return value
        }
        guard let code = all.first(where: { pascalCase("\($0)") == text }) else {
            throw ScenarioFault("unknown word \(text)")
        }
        return code
    }
}

private let choices: [Choice] = [.willAttend, .willAttendOnline, .undecided]
private let channels: [Channel] = [.handbook, .phoneCall, .inPerson, .message, .throughOthers]
private let reasons: [AbsenceReason] = [.health, .family, .work, .away, .other]
private let marks: [AttendanceMark] = [.unmarked, .present, .late, .leftEarly, .absentExcused, .absentUnexcused]
private let modes: [ParticipationMode] = [.inRoom, .online]
private let meetingModes: [MeetingMode] = [.inRoom, .online, .mixed]
private let meetingKinds: [MeetingKind] = [
    .regular, .thematic, .extraordinary, .committee, .membersConference, .congress,
]
private let documentKinds: [DocumentKind] = [.resolution, .draft, .directive, .conclusion, .bulletin, .other]
private let levels: [ConfidentialityLevel] = [.public, .internal, .restricted, .stateSecret]
private let profileFields: [ProfileField] = [.name, .born, .admittedOn, .officialOn, .cardNumber, .cell, .other]

/// The screens.
func show(_ screen: String, on handbook: Handbook, of key: String?) async throws -> Plain {
    func of() throws -> String { try Arguments(of: key, with: nil).key() }
    return switch screen {
    case "home": Plain(of: try await handbook.home())
    case "outbox": Plain(of: try await handbook.outbox())
    case "meetings": Plain(of: try await handbook.meetings())
    case "meeting": Plain(of: try await handbook.meeting(of()))
    case "notice_form": Plain(of: try await handbook.noticeForm(of: of()))
    case "answers": Plain(of: try await handbook.answers(to: of()))
    case "roll_call": Plain(of: try await handbook.rollCall(of: of()))
    case "library": Plain(of: try await handbook.library())
    case "document": Plain(of: try await handbook.document(of()))
    case "sections": Plain(of: try await handbook.sections(of: of(), from: 0))
    case "profile": Plain(of: try await handbook.profile())
    default: throw ScenarioFault("unknown screen \(screen)")
    }
}

/// The commands; those that make something return its key.
func perform(
    _ command: String, on phone: Phone, named name: String, at server: ScenarioServer, _ given: Arguments
) async throws -> String? {
    let handbook = phone.handbook
    switch command {
    case "join": try await phone.join(given.text("invitation"), as: name, at: server)
    case "sync": try await handbook.sync()
    case "restart": try await phone.restart()
    case "publish_document": return try await handbook.publishDocument(documentForm(given))
    case "set_reading_place": try await handbook.setReadingPlace(in: given.key(), order: given.number("order"))
    case "request_correction":
        try await handbook.requestCorrection(of: given.code("field", profileFields), to: given.text("text"))
    case "discard_refused": try await handbook.discardRefused(try await firstRefused(handbook))
    case "send_again": try await handbook.sendAgain(try await firstRefused(handbook))
    default: return try await performAtMeeting(command, handbook, given)
    }
    return nil
}

private func firstRefused(_ handbook: Handbook) async throws -> Int64 {
    guard let line = try await handbook.outbox().refused.first else { throw ScenarioFault("nothing was refused") }
    return line.n
}

private func performAtMeeting(_ command: String, _ handbook: Handbook, _ given: Arguments) async throws -> String? {
    func version() async throws -> UInt32 {
        if case .integer = given["notice_version"] { return try given.number("notice_version") }
        return try await handbook.meeting(given.key()).noticeVersion
    }
    switch command {
    case "publish_notice": return try await handbook.publishNotice(newNotice(given), with: given.texts("with"))
    case "change_notice":
        let form = try changed(try await handbook.noticeForm(of: given.key()), given)
        let base = try await handbook.meeting(given.key()).base
        try await handbook.changeNotice(
            of: given.key(), base: base, to: form, urgent: given.flag("urgent", default: false))
    case "cancel_meeting": try await handbook.cancelMeeting(given.key(), reason: given.text("reason"))
    case "acknowledge_notice": try await handbook.acknowledgeNotice(of: given.key(), noticeVersion: version())
    case "mark_informed":
        try await handbook.markInformed(
            given.text("member"), of: given.key(), channel: given.code("channel", channels), noticeVersion: version())
    case "respond":
        try await handbook.respond(to: given.key(), choice: given.code("choice", choices), noticeVersion: version())
    case "respond_on_behalf":
        try await handbook.respond(
            to: given.key(), onBehalfOf: given.text("member"), choice: given.code("choice", choices),
            channel: given.code("channel", channels), noticeVersion: version())
    case "request_absence":
        try await handbook.requestAbsence(
            from: given.key(), reason: given.code("reason", reasons), note: given["note"].text)
    case "request_absence_on_behalf":
        try await handbook.requestAbsence(
            from: given.key(), onBehalfOf: given.text("member"), reason: given.code("reason", reasons),
            note: given["note"].text, channel: given.code("channel", channels))
    case "withdraw_absence": try await handbook.withdrawAbsence(from: given.key())
    case "decide_absence":
        try await handbook.decideAbsence(
            of: given.text("member"), from: given.key(), granted: given.flag("granted"), answer: given["answer"].text)
    default: try await performAtRollCall(command, handbook, given)
    }
    return nil
}

private func performAtRollCall(_ command: String, _ handbook: Handbook, _ given: Arguments) async throws {
    switch command {
    case "open_roll_call":
        try await handbook.openRollCall(
            of: given.key(), chair: given.text("chair"), minuteTaker: given["minute_taker"].text)
    case "delegate_chair": try await handbook.delegateChair(of: given.key(), to: given.text("member"))
    case "assume_chair": try await handbook.assumeChair(of: given.key(), reason: given.text("reason"))
    case "ratify_chair": try await handbook.ratifyChair(of: given.key())
    case "mark_attendance":
        try await handbook.markAttendance(
            of: given.text("member"), at: given.key(), as: given.code("mark", marks),
            mode: given.code("mode", modes, default: .inRoom), voted: given.flag("voted", default: false))
    case "resolve_marks":
        try await handbook.resolveMarks(of: given.text("member"), at: given.key(), as: given.code("mark", marks))
    case "confirm_roll_call":
        let seen = try await handbook.rollCall(of: given.key()).seen
        try await handbook.confirmRollCall(of: given.key(), seen: seen)
    case "correct_roll_call":
        let changes = try given.list("changes").map { change in
            let change = Arguments(of: nil, with: change)
            return MarkCorrection(
                member: try change.text("member"), mark: try change.code("mark", marks),
                mode: try change.code("mode", modes, default: .inRoom))
        }
        try await handbook.correctRollCall(
            of: given.key(), from: given.number("from"), changes: changes, reason: given.text("reason"))
    case "object_to_mark": try await handbook.objectToMark(at: given.key(), text: given.text("text"))
    default: throw ScenarioFault("unknown command \(command)")
    }
}

// MARK: - Forms

private func newNotice(_ given: Arguments) throws -> NoticeForm {
    try changed(
        NoticeForm(
            kind: try given.code("kind", meetingKinds, default: .regular), title: try given.text("title"),
            startsAt: try given.instant("starts_at"), endsAt: try given.instant("ends_at"), place: "Nhà văn hóa",
            mode: .inRoom, agenda: [], documents: [], guests: [], answerBy: nil, absenceBy: nil),
        given)
}

/// A form with the named fields set; its kind stays.
private func changed(_ form: NoticeForm, _ given: Arguments) throws -> NoticeForm {
    func has(_ name: String) -> Bool { given.fields[name] != nil }
    func instant(_ name: String, else value: Date?) throws -> Date? {
        guard has(name) else { return value }
        return given[name] == .null ? nil : try given.instant(name)
    }
    return NoticeForm(
        kind: form.kind,
        title: try given.text("title", default: form.title),
        startsAt: try has("starts_at") ? given.instant("starts_at") : form.startsAt,
        endsAt: try has("ends_at") ? given.instant("ends_at") : form.endsAt,
        place: try given.text("place", default: form.place),
        mode: try given.code("mode", meetingModes, default: form.mode),
        agenda: has("agenda") ? given.texts("agenda") : form.agenda,
        documents: has("documents") ? given.texts("documents") : form.documents,
        guests: has("guests") ? given.texts("guests") : form.guests,
        answerBy: try instant("answer_by", else: form.answerBy),
        absenceBy: try instant("absence_by", else: form.absenceBy))
}

private func documentForm(_ given: Arguments) throws -> DocumentForm {
    let issued = try given.text("issued_on", default: "2026-11-01").split(separator: "-").map { Int($0) }
    guard issued.count == 3 else { throw ScenarioFault("issued_on is no day") }
    return DocumentForm(
        title: try given.text("title"), number: given["number"].text,
        issuer: try given.text("issuer", default: "Chi ủy"),
        kind: try given.code("kind", documentKinds, default: .draft),
        level: try given.code("level", levels, default: .internal),
        issuedOn: DateComponents(year: issued[0], month: issued[1], day: issued[2]),
        forMeeting: given["for_meeting"].text,
        sections: try given.list("sections").map { section in
            let section = Arguments(of: nil, with: section)
            return SectionForm(
                number: try section.text("number"), heading: try section.text("heading"), text: try section.text("text")
            )
        })
}
