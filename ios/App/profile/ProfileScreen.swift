import Sotay
import SotayApp
import SwiftUI

/// The own profile and card, read only; covered while the app is not in use.
struct ProfileScreen: View {
    let app: AppModel
    private let handbook: Handbook
    @State private var model: ProfileModel
    @State private var showsCard = false
    @State private var reports = false
    @State private var asksToWipe = false
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments
    @Environment(\.approval) private var approval

    init(handbook: Handbook, app: AppModel) {
        self.app = app
        self.handbook = handbook
        _model = State(initialValue: ProfileModel(handbook))
    }

    var body: some View {
        NavigationStack {
            Following(model: model) { profile in
                List {
                    Section {
                        Text(profile.name).font(.title2)
                        Text(words(Phrase("memberStatus", code: profile.status)))
                        if let cell = profile.organisations.first { Fact("profile.cell", cell) }
                        day("profile.born", profile.born)
                        if profile.born == nil, let year = profile.bornYear { Fact("profile.born", String(year)) }
                        day("profile.admittedOn", profile.admittedOn)
                        day("profile.officialOn", profile.officialOn)
                        if let years = profile.partyAge {
                            Fact("profile.partyAge", words("profile.years", .number(Int(years))))
                        }
                    }
                    card(profile)
                    offices(profile)
                    Section {
                        Button("profile.reportMistake") { reports = true }
                            .buttonStyle(.large)
                    }
                    corrections(profile)
                    phones(profile)
                    Section {
                        Button("profile.wipe", role: .destructive) { asksToWipe = true }
                            .disabled(app.leaving)
                        if app.leaving { ProgressView("profile.leaving") }
                    }
                }
            }
            .navigationTitle("tab.profile")
        }
        .privacyScreen()
        .sheet(isPresented: $reports) { CorrectionForm(model: model).privacyScreen() }
        .confirmationDialog("profile.wipeQuestion", isPresented: $asksToWipe, titleVisibility: .visible) {
            Button("profile.wipe", role: .destructive) { Task { await app.signOut() } }
            Button("action.cancel", role: .cancel) {}
        }
        // Before anything is deleted, and with the number.
        .confirmationDialog(
            app.unsentAtLeaving.map { words(Phrase(HandbookError.Unsent(count: $0))) } ?? "", isPresented: isUnsent,
            titleVisibility: .visible
        ) {
            Button("profile.leaveAnyway", role: .destructive) { Task { await app.signOut(losingUnsent: true) } }
            Button("action.cancel", role: .cancel) {}
        }
    }

    private var isUnsent: Binding<Bool> {
        Binding(get: { app.unsentAtLeaving != nil }, set: { if !$0 { app.unsentAtLeaving = nil } })
    }

    @ViewBuilder private func day(_ name: LocalizedStringKey, _ day: DateComponents?) -> some View {
        if let day { Fact(name, moments.date(day)) }
    }

    /// "Số thẻ" [Hiện]
    @ViewBuilder private func card(_ profile: ProfileView) -> some View {
        if let number = profile.cardNumber {
            Section("profile.cardNumber") {
                if showsCard {
                    Text(number).font(.title3.monospacedDigit())
                    if let issued = profile.cardIssuedOn {
                        Text(
                            words(
                                "profile.cardIssued", .text(moments.date(issued)), .text(profile.cardIssuedBy ?? "")))
                    }
                }
                Button(showsCard ? "profile.hide" : "profile.show") { showsCard.toggle() }
                    .buttonStyle(.large)
            }
        }
    }

    @ViewBuilder private func offices(_ profile: ProfileView) -> some View {
        if !profile.offices.isEmpty {
            Section("profile.offices") {
                ForEach(Array(profile.offices.enumerated()), id: \.offset) { _, office in
                    Text(
                        words("profile.office", .phrase(Phrase("role", code: office.role)), .text(office.organisation)))
                }
            }
        }
    }

    private func phones(_ profile: ProfileView) -> some View {
        Section {
            NavigationLink("phones.title") {
                PhonesScreen(handbook: handbook, title: words("phones.title"), approval: approval)
            }
            NavigationLink("pin.title") { PinSettingScreen(handbook: handbook, app: app) }
            NavigationLink("takeAlong.title") {
                TakeAlongScreen(handbook: handbook, member: profile.member, approval: approval, exported: app.exported)
            }
            // Who holds an office may confirm, and who leads a cell may invite; whom, the library and the server say.
            if !profile.offices.isEmpty {
                NavigationLink("invite.title") {
                    InvitableScreen(handbook: handbook, title: "invite.title", nobody: "invite.nobody") {
                        InviteScreen(handbook: handbook, member: $0.member, name: $0.name)
                    }
                }
                NavigationLink("phones.ofMembers") {
                    InvitableScreen(handbook: handbook, title: "phones.ofMembers", nobody: "phones.nobody") {
                        PhonesScreen(
                            handbook: handbook, of: $0.member, title: words("phones.titleOf", .text($0.name)),
                            approval: approval)
                    }
                }
                NavigationLink("waitingPhones.title") { WaitingPhonesScreen(handbook: handbook) }
            }
        }
    }

    @ViewBuilder private func corrections(_ profile: ProfileView) -> some View {
        if !profile.corrections.isEmpty {
            Section("profile.corrections") {
                ForEach(Array(profile.corrections.enumerated()), id: \.offset) { _, correction in
                    VStack(alignment: .leading, spacing: 4) {
                        Text(words(Phrase("profileField", code: correction.field)))
                        Text(correction.text).italic()
                        if correction.pending { Label("profile.notSent", systemImage: "arrow.up.circle") }
                    }
                    .accessibilityElement(children: .combine)
                }
            }
        }
    }
}

/// "Báo sai thông tin"
private struct CorrectionForm: View {
    @Bindable var model: ProfileModel
    @State private var field = ProfileField.name
    @State private var text = ""
    @Environment(\.dismiss) private var dismiss
    @Environment(\.words) private var words

    private static let fields: [ProfileField] = [.name, .born, .admittedOn, .officialOn, .cardNumber, .cell, .other]

    var body: some View {
        NavigationStack {
            Form {
                Picker("profile.whichLine", selection: $field) {
                    ForEach(Self.fields, id: \.self) { Text(words(Phrase("profileField", code: $0))).tag($0) }
                }
                TextField("profile.correct", text: $text, axis: .vertical)
                Audience(who: "audience.officeAndMe")
                Button("action.send") {
                    Task {
                        if await model.requestCorrection(of: field, to: text) { dismiss() }
                    }
                }
                .buttonStyle(.large)
            }
            .navigationTitle("profile.reportMistake")
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("action.close") { dismiss() } }
            }
        }
        .refusal($model.refused)
    }
}
