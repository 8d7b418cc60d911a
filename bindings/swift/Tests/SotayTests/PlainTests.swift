import Foundation
import Sotay
import Testing

@Suite("How scenarios compare")
struct PlainTests {
    private let error = Plain(of: HandbookError.Refused(why: .invalid(field: .endsAt, why: .endBeforeStart)))

    @Test("A choice with fields is an object that names it")
    func choiceWithFields() {
        #expect(error.at("is") == .string("Refused"))
        #expect(error.at("why.field") == .string("EndsAt"))
        #expect(error.at("why.why") == .string("EndBeforeStart"))
    }

    @Test("A string also equals a choice of that name, and no other")
    func stringAndChoice() {
        #expect(error.matches(.string("Refused")))
        #expect(!error.matches(.string("NotHere")))
        #expect(error.at("why").matches(.string("Invalid")))
    }

    @Test("Paths lead into lists by position, by field and by length; a path that leads nowhere gives null")
    func paths() {
        let lines = [DeliveryView(unsent: 1, refused: 0, lastSyncedAt: nil, offline: true)]
        #expect(Plain(of: lines).at("#") == .integer(1))
        #expect(Plain(of: lines).at("0.unsent") == .integer(1))
        #expect(Plain(of: lines).at("0.last_synced_at") == .null)
        #expect(Plain(of: lines).at("1.unsent") == .null)
        #expect(Plain(of: [WaitingItem.refused(count: 3)]).at("is=Refused.count") == .integer(3))
    }

    @Test("Instants are milliseconds, days their text, bytes hexadecimal")
    func values() {
        #expect(Plain(of: Date(timeIntervalSince1970: 1.5)) == .integer(1500))
        #expect(Plain(of: DateComponents(year: 2026, month: 1, day: 5)) == .string("2026-01-05"))
        #expect(Plain(of: Data([0, 255])) == .string("00ff"))
    }
}
