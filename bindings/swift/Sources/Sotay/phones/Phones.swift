import Foundation

// Almost all of it is decided by the server at once and needs the network: nothing here waits in the outbox, and a
// call that failed has changed nothing that it says it changed.

extension Handbook {
    /// The member's own phones.
    public func phones() async throws(HandbookError) -> [PhoneView] {
        try await read { try $0.phones() }
    }

    /// Another member's phones, for who may revoke them.
    public func phones(of member: MemberId) async throws(HandbookError) -> [PhoneView] {
        try await read { try $0.phonesOf(member: member) }
    }

    /// Gives one of the own phones another name.
    public func renamePhone(_ phone: InstallationId, to name: String) async throws(HandbookError) {
        try await enter { try $0.renamePhone(installation: phone, name: name) }
    }
}

// MARK: - What an officer does for other members' phones

extension Handbook {
    /// Whom this member may invite, by name: the members of the own cell, for its secretary and deputy. Needs no
    /// network.
    public func invitable() async throws(HandbookError) -> [PersonName] {
        try await read { try $0.invitable() }
    }

    /// Invites a member to one more phone, for 1 to 14 days. The code is made on this phone and shown once; it is kept
    /// nowhere.
    public func invite(_ member: MemberId, days: UInt32) async throws(HandbookError) -> InvitationView {
        try await enter { try $0.invite(member: member, days: days) }
    }

    /// The phones that wait for a confirmation which this member may give.
    public func joiningPhones() async throws(HandbookError) -> [JoiningPhoneView] {
        try await read { try $0.joiningPhones() }
    }

    /// Confirms a phone by the six digits that the member reads out from it. Five wrong ones void the claim; what is
    /// not six digits uses up no try.
    public func confirmPhone(
        _ phone: InstallationId, digits: String
    ) async throws(HandbookError) -> Confirmation {
        try await enter { try $0.confirmPhone(installation: phone, digits: digits) }
    }

    /// Voids a claim whose digits differ: whoever claimed the invitation is not the member.
    public func refusePhone(_ phone: InstallationId) async throws(HandbookError) {
        try await enter { try $0.refusePhone(installation: phone) }
    }
}
