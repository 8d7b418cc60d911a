import Sotay
import SotayApp
import SwiftUI

/// "Mời thêm điện thoại", "Điện thoại của đảng viên": for whom, or whose?
struct InvitableScreen<Next: View>: View {
    let title: LocalizedStringKey
    /// Said to who leads no cell.
    let nobody: LocalizedStringKey
    private let next: (PersonName) -> Next
    @State private var model: InvitableModel

    init(
        handbook: Handbook, title: LocalizedStringKey, nobody: LocalizedStringKey,
        @ViewBuilder next: @escaping (PersonName) -> Next
    ) {
        self.title = title
        self.nobody = nobody
        self.next = next
        _model = State(initialValue: InvitableModel(handbook))
    }

    var body: some View {
        List {
            if let people = model.people {
                if people.isEmpty { Text(nobody) }
                ForEach(people, id: \.member) { person in
                    NavigationLink(person.name) { next(person) }
                        .frame(minHeight: 48)
                }
            } else if model.problem == nil {
                ProgressView()
            }
        }
        .navigationTitle(title)
        .task { await model.load() }
        .refusal($model.problem)
    }
}

/// An officer invites a member to one more phone: a QR code to scan, and the same to type.
struct InviteScreen: View {
    @State private var model: InviteModel
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    init(handbook: Handbook, member: MemberId, name: String) {
        _model = State(initialValue: InviteModel(handbook, member: member, name: name))
    }

    var body: some View {
        Form {
            Section(words("invite.for", .text(model.name))) {
                Picker("invite.days", selection: $model.days) {
                    ForEach(InviteModel.choices, id: \.self) { days in
                        Text(words("invite.dayCount", .number(Int(days)))).tag(days)
                    }
                }
                Button(model.invitation == nil ? "invite.make" : "invite.again") { Task { await model.invite() } }
                    .buttonStyle(.large)
                    .disabled(model.busy)
            }
            if let invitation = model.invitation { shown(invitation) }
        }
        .navigationTitle("invite.title")
        .refusal($model.problem)
        .privacyScreen()
    }

    @ViewBuilder private func shown(_ invitation: InvitationView) -> some View {
        Section {
            QrPicture(qr: invitation.qr)
                .frame(maxWidth: 320)
                .frame(maxWidth: .infinity)
                .accessibilityElement()
                .accessibilityLabel("invite.qr")
            Text("invite.scan")
            Text(words("invite.until", .text(moments.moment(invitation.until))))
        }
        Section("invite.typed") {
            Fact("join.address", invitation.host)
            Fact("join.code", invitation.code)
        }
        Section { Text("invite.then") }
    }
}

/// Dark on white whatever the phone's colours are: scanners need it so. Four squares around it stay white.
private struct QrPicture: View {
    let qr: QrView

    private static let margin = 4

    var body: some View {
        Canvas { context, size in
            let square = min(size.width, size.height) / CGFloat(Int(qr.size) + 2 * Self.margin)
            context.fill(Path(CGRect(origin: .zero, size: size)), with: .color(.white))
            var dark = Path()
            for (y, row) in qr.rows.enumerated() {
                for (x, isDark) in row.enumerated() where isDark {
                    dark.addRect(
                        CGRect(
                            x: CGFloat(x + Self.margin) * square, y: CGFloat(y + Self.margin) * square, width: square,
                            height: square))
                }
            }
            // Without smoothing no light lines lie between the squares.
            context.fill(dark, with: .color(.black), style: FillStyle(antialiased: false))
        }
        .aspectRatio(1, contentMode: .fit)
    }
}
