import Sotay
import SotayApp
import SwiftUI

/// One meeting: when, where, the answer, the agenda, the documents; for the office also what leads on.
struct MeetingScreen: View {
    let handbook: Handbook
    let meeting: MeetingKey
    @State private var model: MeetingModel
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    init(handbook: Handbook, meeting: MeetingKey) {
        self.handbook = handbook
        self.meeting = meeting
        _model = State(initialValue: MeetingModel(handbook, meeting))
    }

    var body: some View {
        Following(model: model) { view in
            List {
                if let change = view.change {
                    ChangeSection(change: change) { await model.acknowledge() }
                }
                Section {
                    Fact("meeting.when", moments.span(from: view.card.startsAt, to: view.card.endsAt))
                    Fact("meeting.where", view.card.place)
                    Text(words(Phrase("meetingMode", code: view.card.mode)))
                    if view.participating.count > 1 {
                        Fact("meeting.participating", view.participating.joined(separator: ", "))
                    }
                    if view.noticeLate { Label("meeting.lateNotice", systemImage: "clock") }
                    if let reason = view.cancelReason {
                        Label(words("meeting.cancelled", .text(reason)), systemImage: "xmark.circle").font(.headline)
                    }
                }
                AnswerSection(model: model, view: view)
                MeetingContents(handbook: handbook, view: view)
                MyLineSection(model: model, view: view)
                OfficeSection(handbook: handbook, model: model, view: view)
            }
            .navigationTitle(view.card.title)
        }
    }
}

/// "Đã trả lời: Sẽ dự" [Đổi]
private struct AnswerSection: View {
    let model: MeetingModel
    let view: MeetingView
    @State private var changes = false
    @State private var asks = false
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        if view.card.stage == .announced {
            Section("meeting.yourAnswer") {
                if let absence = view.card.myAbsence, absence.state != .withdrawn {
                    Said(text: words(Phrase(absence)), entered: absence.entered, pending: absence.pending)
                    if let answer = absence.answer { Text(answer) }
                    if let name = absence.decidedBy { Text(words("absence.decidedBy", .text(name))) }
                    Button("meeting.withdraw") { Task { await model.withdrawAbsence() } }
                        .buttonStyle(.large)
                } else {
                    if let answer = view.card.myAnswer {
                        Said(text: words(Phrase(answer)), entered: answer.entered, pending: answer.pending)
                    } else {
                        Text(words("meeting.answerBy", .text(moments.moment(view.card.answerBy))))
                    }
                    if view.card.myAnswer == nil || view.card.myAnswer?.forOldTime == true || changes {
                        choices
                    } else {
                        Button("meeting.change") { changes = true }
                            .buttonStyle(.large)
                    }
                }
            }
            .sheet(isPresented: $asks) { AbsenceForm(model: model) }
        }
    }

    @ViewBuilder private var choices: some View {
        choice("home.willAttend", .willAttend)
        if view.card.mode != .inRoom { choice("meeting.attendOnline", .willAttendOnline) }
        choice("meeting.notSure", .undecided)
        Button("home.askAbsence") { asks = true }
            .buttonStyle(.large)
    }

    private func choice(_ title: LocalizedStringKey, _ choice: Choice) -> some View {
        Button(title) {
            Task {
                await model.respond(choice)
                changes = false
            }
        }
        .buttonStyle(.large)
    }
}

/// What was said, who entered it, and whether it is sent.
private struct Said: View {
    let text: String
    let entered: EnteredView?
    let pending: Bool
    @Environment(\.words) private var words

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(text).font(.headline)
            if let entered { Text(words(Phrase(entered))) }
            if pending { Label("answer.pending", systemImage: "arrow.up.circle") }
        }
        .accessibilityElement(children: .combine)
    }
}

private struct MeetingContents: View {
    let handbook: Handbook
    let view: MeetingView
    @Environment(\.words) private var words

    var body: some View {
        if !view.agenda.isEmpty {
            Section("meeting.agenda") {
                ForEach(Array(view.agenda.enumerated()), id: \.offset) { Text($1) }
            }
        }
        if !view.documents.isEmpty {
            Section(words("meeting.documents", .number(view.documents.count))) {
                ForEach(view.documents, id: \.document) { DocumentLine(handbook: handbook, card: $0) }
            }
        }
        if !view.guests.isEmpty {
            Section("meeting.guests") {
                ForEach(Array(view.guests.enumerated()), id: \.offset) { Text($1) }
            }
        }
    }
}

/// The own line of the roll call; an objection to it once it is confirmed.
private struct MyLineSection: View {
    let model: MeetingModel
    let view: MeetingView
    @State private var objects = false
    @State private var text = ""
    @Environment(\.words) private var words

    var body: some View {
        if let line = view.myLine {
            Section {
                Text(words("meeting.myLine", .phrase(Phrase("attendanceMark", code: line.mark))))
                ForEach(line.objections, id: \.at) { Text($0.text).italic() }
                if view.confirmed != nil {
                    Button("meeting.object") { objects = true }
                }
            }
            .alert("meeting.objectPrompt", isPresented: $objects) {
                TextField("meeting.objectPrompt", text: $text)
                Button("action.send") { Task { await model.object(text) } }
                Button("action.cancel", role: .cancel) {}
            }
        }
    }
}

/// What the office does from here.
private struct OfficeSection: View {
    let handbook: Handbook
    let model: MeetingModel
    let view: MeetingView
    @State private var cancels = false
    @State private var reason = ""

    var body: some View {
        if view.leads || view.takesRollCall {
            Section {
                if view.leads {
                    NavigationLink("meeting.answers") {
                        AnswersScreen(handbook: handbook, meeting: view.card.meeting)
                    }
                    NavigationLink("absences.title") {
                        AbsenceDecisionsScreen(handbook: handbook, meeting: view.card.meeting)
                    }
                }
                if view.takesRollCall {
                    NavigationLink("meeting.rollCall") {
                        RollCallScreen(handbook: handbook, meeting: view.card.meeting)
                    }
                }
                if view.leads {
                    if view.card.stage == .announced {
                        NavigationLink("meeting.changeNotice") {
                            NoticeEditorScreen(handbook: handbook, task: .change(of: view.card.meeting))
                        }
                        Button("meeting.cancel", role: .destructive) { cancels = true }
                    }
                    NavigationLink("meeting.copy") {
                        NoticeEditorScreen(handbook: handbook, task: .new(from: view.card.meeting))
                    }
                }
            }
            .alert("meeting.cancel", isPresented: $cancels) {
                TextField("meeting.cancelReason", text: $reason)
                Button("meeting.cancel", role: .destructive) { Task { await model.cancel(reason: reason) } }
                Button("action.close", role: .cancel) {}
            }
        }
    }
}
