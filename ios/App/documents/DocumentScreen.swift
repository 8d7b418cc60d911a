import Sotay
import SotayApp
import SwiftUI

/// A document and its table of contents.
struct DocumentScreen: View {
    let handbook: Handbook
    let document: DocumentKey
    @State private var model: DocumentModel
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    init(handbook: Handbook, document: DocumentKey) {
        self.handbook = handbook
        self.document = document
        _model = State(initialValue: DocumentModel(handbook, document))
    }

    var body: some View {
        Following(model: model) { view in
            List {
                Section {
                    Text(view.card.title).font(.title3)
                    if let number = view.card.number { Text(number) }
                    Text(words("library.issuedOn", .text(view.card.issuer), .text(moments.date(view.card.issuedOn))))
                    Text(words(Phrase("confidentialityLevel", code: view.card.level)))
                    NavigationLink(readTitle(view)) {
                        ReaderScreen(handbook: handbook, document: document, from: view.readingPlace ?? 0)
                    }
                }
                Section("document.contents") {
                    ForEach(view.contents, id: \.order) { heading in
                        NavigationLink {
                            ReaderScreen(handbook: handbook, document: document, from: heading.order)
                        } label: {
                            Text("\(heading.number) \(heading.heading)")
                                .padding(.leading, CGFloat(max(1, heading.depth) - 1) * 16)
                        }
                    }
                }
            }
        }
        .navigationTitle("tab.documents")
    }

    private func readTitle(_ view: DocumentView) -> String {
        guard let order = view.readingPlace, let place = view.contents.first(where: { $0.order == order }) else {
            return words("document.read")
        }
        return words("document.continueAt", .text(place.number))
    }
}
