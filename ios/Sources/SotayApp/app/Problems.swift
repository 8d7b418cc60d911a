import Sotay

extension Phrase {
    /// What an error says to a person, and what to do about it.
    public init(_ error: HandbookError) {
        switch error {
        case .InvitationUnreadable(let fault): self.init(fault)
        case .ServerUnreachable(let address): self.init("error.serverUnreachable", .text(address))
        case .ServerUnexpected(let address, let fault): self.init(fault, at: address)
        case .UpdateNeeded(let minimum): self.init("error.updateNeeded", .text(minimum))
        case .Refused(let why): self.init(why)
        case .DatabaseUnreadable(let unsent): self.init("error.databaseUnreadable", .count(unsent))
        case .KeyLost(let unsent): self.init("error.keyLost", .count(unsent))
        case .PinNeeded(let left): self.init("error.pinNeeded", .count(left))
        case .PinWrong(let left): self.init("error.pinWrong", .count(left))
        case .WipedAfterTries(let unsent): self.init("error.wipedAfterTries", .count(unsent))
        case .Unsent(let count): self.init("error.unsent", .count(count))
        case .OutboxFull(let limit): self.init("error.outboxFull", .count(limit))
        case .StorageFailed(let code): self.init("error.storageFailed", .count(code))
        case .Internal(let incident): self.init("error.internal", .text(incident))
        case .NotEnrolled, .AlreadyEnrolled, .InvitationUnusable, .PhoneNotKnown, .NotApproved, .DigitsMalformed,
            .AppTooOld, .NotHere, .NewerDatabase,
            .KeyLocked, .KeyFailed, .PinMalformed, .Revoked, .WrongKey, .StorageFull, .InUse, .Paused, .Cancelled:
            let name = caseName(of: error)
            self.init("error.\(name.prefix(1).lowercased())\(name.dropFirst())")
        }
    }

    private init(_ fault: InvitationFault) {
        switch fault {
        case .length(let found): self.init("invitationFault.length", .count(found))
        case .symbol(let position): self.init("invitationFault.symbol", .count(position))
        default: self.init("invitationFault", code: fault)
        }
    }

    private init(_ fault: ServerFault, at address: String) {
        switch fault {
        case .status(let code): self.init("serverFault.status", .text(address), .count(code))
        default: self.init("serverFault.\(caseName(of: fault))", .text(address))
        }
    }

    /// Why a rule said no.
    public init(_ why: Rejection) {
        switch why {
        case .notAllowed(let why): self.init("denial", code: why)
        case .notFound(let what): self.init("subject", code: what)
        case .closed(let what, _): self.init("closing", code: what)
        case .invalid(let field, let why):
            self.init("rejection.invalid", .field(field), .phrase(Phrase("fault", code: why)))
        case .secret(let field, let level):
            self.init("rejection.secret", .field(field), .phrase(Phrase("secrecyMarking", code: level)))
        case .tooLarge(let field, let limit): self.init("rejection.tooLarge", .field(field), .count(limit))
        case .removed(let field): self.init("rejection.removed", .field(field))
        case .conflict(let count): self.init("rejection.conflict", .count(count))
        case .unmarked(let count): self.init("rejection.unmarked", .count(count))
        case .stale, .dependsOn, .expired, .numberReused, .alreadyExists: self.init("rejection", code: why)
        }
    }
}

extension Phrase.Argument {
    fileprivate static func field(_ field: Field) -> Self { .phrase(Phrase("field", code: field)) }
}
