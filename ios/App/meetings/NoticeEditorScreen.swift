import Sotay
import SotayApp
import SwiftUI

/// The form for a notice.
struct NoticeEditorScreen: View {
    @State private var editor: NoticeEditor
    @Environment(\.dismiss) private var dismiss
    @Environment(\.words) private var words

    private static let kinds: [MeetingKind] = [
        .regular, .thematic, .extraordinary, .committee, .membersConference, .congress,
    ]
    private static let modes: [MeetingMode] = [.inRoom, .online, .mixed]

    init(handbook: Handbook, task: NoticeEditor.Task) {
        _editor = State(initialValue: NoticeEditor(handbook, task))
    }

    private var isNew: Bool {
        if case .new = editor.task { true } else { false }
    }

    var body: some View {
        ZStack {
            if let form = Binding($editor.form) {
                fields(form)
            } else {
                ProgressView()
            }
        }
        .navigationTitle(isNew ? "notice.new" : "notice.change")
        .task { if editor.form == nil { await editor.load() } }
        .refusal($editor.refused)
    }

    private func fields(_ form: Binding<NoticeForm>) -> some View {
        Form {
            Section {
                if isNew {
                    Picker("notice.kind", selection: form.kind) {
                        ForEach(Self.kinds, id: \.self) { Text(words(Phrase("meetingKind", code: $0))).tag($0) }
                    }
                }
                TextField("notice.title", text: form.title, axis: .vertical)
                DatePicker("notice.startsAt", selection: form.startsAt)
                DatePicker("notice.endsAt", selection: form.endsAt)
                TextField("notice.place", text: form.place, axis: .vertical)
                Picker("notice.mode", selection: form.mode) {
                    ForEach(Self.modes, id: \.self) { Text(words(Phrase("meetingMode", code: $0))).tag($0) }
                }
            }
            .environment(\.timeZone, TimeZone(secondsFromGMT: 7 * 3600) ?? .current)
            Lines(title: "notice.agenda", item: "notice.agendaItem", add: "notice.addAgenda", lines: form.agenda)
            Lines(title: "notice.guests", item: "notice.guest", add: "notice.addGuest", lines: form.guests)
            if !isNew { Toggle("notice.urgent", isOn: $editor.urgent) }
            Audience(who: "audience.cell")
            if editor.isStale {
                Button("notice.reload") { Task { await editor.load() } }
                    .buttonStyle(.large)
            }
            Button(isNew ? "notice.publish" : "notice.publishChange") {
                Task {
                    if await editor.publish() { dismiss() }
                }
            }
            .buttonStyle(.large)
            .disabled(editor.busy)
        }
    }
}

/// A list of texts that can grow and shrink.
private struct Lines: View {
    let title: LocalizedStringKey
    let item: String
    let add: LocalizedStringKey
    @Binding var lines: [String]
    @Environment(\.words) private var words

    var body: some View {
        Section(title) {
            ForEach(lines.indices, id: \.self) { position in
                TextField(
                    words(item, .number(position + 1)),
                    text: Binding(
                        get: { lines.indices.contains(position) ? lines[position] : "" },
                        set: { if lines.indices.contains(position) { lines[position] = $0 } }),
                    axis: .vertical)
            }
            .onDelete { lines.remove(atOffsets: $0) }
            Button(add) { lines.append("") }
        }
    }
}
