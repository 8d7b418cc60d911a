import Sotay
import SotayApp
import SwiftUI

/// The handbook: "Cho cuộc họp tới"; "Đọc tiếp"; "Bản tin"; all documents.
struct LibraryScreen: View {
    let handbook: Handbook
    @State private var model: LibraryModel
    @State private var later: LaterPages<DocumentCard>
    @Environment(\.words) private var words

    init(handbook: Handbook) {
        self.handbook = handbook
        let model = LibraryModel(handbook)
        _model = State(initialValue: model)
        _later = State(initialValue: model.laterPages())
    }

    var body: some View {
        NavigationStack {
            Following(model: model) { library in
                List {
                    if library.count == 0 { Text("library.empty") }
                    section("library.forNextMeeting", library.forNextMeeting)
                    if let place = library.continueReading {
                        Section("library.continueReading") {
                            NavigationLink {
                                ReaderScreen(handbook: handbook, document: place.document, from: place.order)
                            } label: {
                                Text("\(place.title) – \(place.number) \(place.heading)")
                            }
                        }
                    }
                    section("library.bulletin", library.bulletin)
                    if library.count > 0 {
                        Section(words("library.all", .number(Int(library.count)))) {
                            ForEach(library.documents + later.lines, id: \.document) {
                                DocumentLine(handbook: handbook, card: $0)
                            }
                            if library.documents.count + later.lines.count < Int(library.count) {
                                ProgressView().task { await later.load(behind: library.documents.last) }
                            }
                        }
                    }
                }
                .refreshable { await model.refresh() }
            }
            .navigationTitle("tab.documents")
        }
    }

    @ViewBuilder private func section(_ title: LocalizedStringKey, _ cards: [DocumentCard]) -> some View {
        if !cards.isEmpty {
            Section(title) {
                ForEach(cards, id: \.document) { DocumentLine(handbook: handbook, card: $0) }
            }
        }
    }
}

/// A document as a line, with whether it can be read without a network.
struct DocumentLine: View {
    let handbook: Handbook
    let card: DocumentCard
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        NavigationLink {
            DocumentScreen(handbook: handbook, document: card.document)
        } label: {
            VStack(alignment: .leading, spacing: 4) {
                Text(card.title).font(card.opened ? .body : .headline)
                Text(words(Phrase("documentKind", code: card.kind)))
                Text(words("library.issuedOn", .text(card.issuer), .text(moments.date(card.issuedOn))))
                    .font(.footnote)
                Label(
                    card.complete ? "library.offline" : "library.incomplete",
                    systemImage: card.complete ? "checkmark.circle" : "arrow.down.circle"
                )
                .font(.footnote)
            }
            .accessibilityElement(children: .combine)
        }
    }
}
