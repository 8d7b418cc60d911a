import Sotay
import SotayApp
import SwiftUI

/// "Dữ liệu về tôi": what the server keeps about the member, as a file to take along.
struct TakeAlongScreen: View {
    @State private var model: TakeAlongModel

    init(handbook: Handbook, member: MemberId, approval: Approval?, exported: ExportedFile) {
        _model = State(initialValue: TakeAlongModel(handbook, of: member, approval: approval, to: exported))
    }

    var body: some View {
        Form {
            Section { Text("takeAlong.explain") }
            if let file = model.file {
                Section {
                    ShareLink("takeAlong.share", item: file).buttonStyle(.large)
                    Text("takeAlong.warning").font(.footnote)
                }
            } else if model.canAsk {
                Section {
                    Button("takeAlong.fetch") { Task { _ = await model.fetch() } }
                        .buttonStyle(.large)
                }
            } else {
                Text("takeAlong.cannot").font(.footnote)
            }
        }
        .disabled(model.busy)
        .navigationTitle("takeAlong.title")
        .refusal($model.problem)
        .privacyScreen()
        .onDisappear { model.forget() }
    }
}
