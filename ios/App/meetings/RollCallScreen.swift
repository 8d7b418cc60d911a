import Sotay
import SotayApp
import SwiftUI

/// "Có mặt 18 · Chưa điểm danh 4"; [Có mặt] [Vắng] [Đi muộn] [Hoàn tác]
struct RollCallScreen: View {
    let handbook: Handbook
    let meeting: MeetingKey
    @State private var model: RollCallModel
    @State private var opening: RollCallOpening
    @Environment(\.words) private var words

    init(handbook: Handbook, meeting: MeetingKey) {
        self.handbook = handbook
        self.meeting = meeting
        _model = State(initialValue: RollCallModel(handbook, rollCallOf: meeting))
        _opening = State(initialValue: RollCallOpening(handbook, meeting))
    }

    var body: some View {
        Following(model: model) { rollCall in
            List {
                Text(words(Phrase(rollCall)))
                    .font(.headline)
                if rollCall.openedAt == nil {
                    OpeningSection(model: model, opening: opening)
                } else {
                    if let reason = rollCall.assumed { Text(words("rollCall.assumed", .text(reason))) }
                    ForEach(rollCall.lines, id: \.member) { line in
                        RollCallRow(model: model, line: line, mayMark: rollCall.mayMark)
                    }
                }
                NavigationLink("confirm.title") { ConfirmScreen(handbook: handbook, meeting: meeting) }
            }
            .navigationTitle(rollCall.title)
        }
    }
}

/// Who chairs and who takes the minutes; from then on it is fixed who is convened.
private struct OpeningSection: View {
    let model: RollCallModel
    @Bindable var opening: RollCallOpening

    var body: some View {
        Section {
            Picker("rollCall.chair", selection: $opening.chair) {
                ForEach(opening.people, id: \.member) { Text($0.name).tag(Optional($0.member)) }
            }
            Picker("rollCall.minuteTaker", selection: $opening.minuteTaker) {
                Text("rollCall.noMinuteTaker").tag(MemberId?.none)
                ForEach(opening.people, id: \.member) { Text($0.name).tag(Optional($0.member)) }
            }
            Button("rollCall.open") {
                Task { await model.open(opening) }
            }
            .buttonStyle(.large)
            .disabled(opening.chair == nil)
        }
        .task { await opening.load() }
    }
}

private struct RollCallRow: View {
    let model: RollCallModel
    let line: LineView
    let mayMark: Bool
    @State private var asksWhy = false
    @Environment(\.words) private var words

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            VStack(alignment: .leading, spacing: 4) {
                Text(line.name).font(.headline)
                Text(words(Phrase("attendanceMark", code: line.mark)))
                if line.mode == .online { Text("rollCall.online") }
                if let expected = line.expected { Text(words(Phrase("choice", code: expected))) }
                if let absence = line.absence { Text(words(Phrase("absenceState", code: absence))) }
            }
            .accessibilityElement(children: .combine)
            if line.conflict { conflict }
            if mayMark { buttons }
        }
        .confirmationDialog("rollCall.absent", isPresented: $asksWhy, titleVisibility: .visible) {
            Button("rollCall.excused") { mark(.absentExcused) }
            Button("rollCall.unexcused") { mark(.absentUnexcused) }
            Button("action.cancel", role: .cancel) {}
        }
    }

    /// Both marks stay visible; somebody decides.
    private var conflict: some View {
        VStack(alignment: .leading, spacing: 4) {
            Label("rollCall.conflict", systemImage: "exclamationmark.triangle")
            ForEach(line.marks, id: \.by.member) { mark in
                HStack {
                    Text(
                        words(
                            "rollCall.markBy", .text(mark.by.name), .phrase(Phrase("attendanceMark", code: mark.mark))))
                    Spacer()
                    Button("rollCall.decide") { Task { await model.resolve(line, as: mark.mark) } }
                        .buttonStyle(.bordered)
                        .frame(minHeight: 48)
                }
            }
        }
    }

    @ViewBuilder private var buttons: some View {
        // Side by side where the text is small enough, one below the other where it is large.
        ViewThatFits(in: .horizontal) {
            HStack { markButtons }
            VStack { markButtons }
        }
        if line.convenedAs == .exempt {
            Toggle(
                "rollCall.voted",
                isOn: Binding(
                    get: { line.voted },
                    set: { voted in Task { await model.mark(line, as: .present, mode: line.mode, voted: voted) } }))
        }
    }

    @ViewBuilder private var markButtons: some View {
        if line.mark == .unmarked {
            button(line.convenedAs == .exempt ? "rollCall.exempt" : "rollCall.present") { mark(.present) }
            if line.convenedAs != .exempt { button("rollCall.absent") { asksWhy = true } }
            button("rollCall.late") { mark(.late) }
            button("rollCall.online") { mark(.present, .online) }
        } else {
            if line.mark == .present || line.mark == .late { button("rollCall.leftEarly") { mark(.leftEarly) } }
            button("rollCall.undo") { Task { await model.undo(line) } }
        }
    }

    private func button(_ title: String, _ action: @escaping () -> Void) -> some View {
        Button(LocalizedStringKey(title), action: action)
            .buttonStyle(.bordered)
            .frame(minHeight: 48)
            .accessibilityLabel(words("rollCall.markFor", .phrase(Phrase(title)), .text(line.name)))
    }

    private func mark(_ mark: AttendanceMark, _ mode: ParticipationMode = .inRoom) {
        Task { await model.mark(line, as: mark, mode: mode) }
    }
}
