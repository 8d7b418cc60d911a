import Sotay
import SotayApp
import SwiftUI

/// Who answered what: "Chưa nhận (2)" [Đã báo] [Gọi]; "Chưa trả lời (5)".
struct AnswersScreen: View {
    let handbook: Handbook
    let meeting: MeetingKey
    @State private var model: AnswersModel
    @Environment(\.words) private var words

    init(handbook: Handbook, meeting: MeetingKey) {
        self.handbook = handbook
        self.meeting = meeting
        _model = State(initialValue: AnswersModel(handbook, answersTo: meeting))
    }

    var body: some View {
        Following(model: model) { answers in
            List {
                Text(words("answers.counts", .number(Int(answers.willAttend)), .number(Int(answers.expected))))
                    .font(.headline)
                NavigationLink(words("answers.waiting", .number(Int(answers.absencesWaiting)))) {
                    AbsenceDecisionsScreen(handbook: handbook, meeting: meeting)
                }
                section("answers.notReached", answers.notReachedLines)
                section("answers.silent", answers.silentLines)
                section("answers.answered", answers.answeredLines)
                NavigationLink("meeting.rollCall") { RollCallScreen(handbook: handbook, meeting: meeting) }
            }
        }
        .navigationTitle("answers.title")
        .privacyScreen()
    }

    @ViewBuilder private func section(_ title: String, _ lines: [AnswerLine]) -> some View {
        if !lines.isEmpty {
            Section(words(title, .number(lines.count))) {
                ForEach(lines, id: \.member) { AnswerRow(handbook: handbook, model: model, line: $0) }
            }
        }
    }
}

private struct AnswerRow: View {
    let handbook: Handbook
    let model: AnswersModel
    let line: AnswerLine
    @Environment(\.words) private var words
    @Environment(\.approval) private var approval

    private static let channels: [Channel] = [.phoneCall, .inPerson, .message, .throughOthers]
    private static let choices: [Choice] = [.willAttend, .willAttendOnline, .undecided]
    private static let reasons: [AbsenceReason] = [.health, .family, .work, .away, .other]

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            VStack(alignment: .leading, spacing: 4) {
                Text(line.name).font(.headline)
                if let answer = line.answer { Text(words(Phrase(answer))) }
                if let absence = line.absence { Text(words(Phrase(absence))) }
                if let informed = line.informed { Text(words(Phrase(informed))) }
            }
            .accessibilityElement(children: .combine)
            HStack {
                if let number = line.phone {
                    CallButton(title: "answers.call", name: line.name, number: number)
                        .frame(minHeight: 48)
                }
                Menu("answers.informed") { channels { await model.markInformed(line, $0) } }
                    .frame(minHeight: 48)
                Menu("answers.enterAnswer") {
                    ForEach(Self.choices, id: \.self) { choice in
                        Menu(words(Phrase("choice", code: choice))) {
                            channels { await model.respond(for: line, choice, $0) }
                        }
                    }
                }
                .frame(minHeight: 48)
                Menu("answers.enterAbsence") {
                    ForEach(Self.reasons, id: \.self) { reason in
                        Menu(words(Phrase("absenceReason", code: reason))) {
                            channels { await model.requestAbsence(for: line, reason, $0) }
                        }
                    }
                }
                .frame(minHeight: 48)
            }
            .buttonStyle(.bordered)
            // Who is never reached may have no phone yet, or another one.
            NavigationLink("invite.title") { InviteScreen(handbook: handbook, member: line.member, name: line.name) }
                .frame(minHeight: 48)
            NavigationLink(words("phones.titleOf", .text(line.name))) {
                PhonesScreen(
                    handbook: handbook, of: line.member, title: words("phones.titleOf", .text(line.name)),
                    approval: approval)
            }
            .frame(minHeight: 48)
        }
    }

    private func channels(_ chosen: @escaping (Channel) async -> Void) -> some View {
        ForEach(Self.channels, id: \.self) { channel in
            Button(words(Phrase("channel", code: channel))) { Task { await chosen(channel) } }
        }
    }
}
