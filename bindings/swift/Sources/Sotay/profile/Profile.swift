extension Handbook {
    /// The profile and the card.
    public func profile() async throws(HandbookError) -> ProfileView {
        try await read { try $0.profile() }
    }

    /// The profile, live.
    public func profileScreen() -> Screen<ProfileView> {
        screen(.profile) { try $0.profile() }
    }

    /// Says that a line of the own profile is wrong; the office passes it to the register.
    public func requestCorrection(of field: ProfileField, to text: String) async throws(HandbookError) {
        try await enter { try $0.requestCorrection(field: field, text: text) }
    }
}
