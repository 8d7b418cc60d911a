import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Attachments")
struct AttachmentTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    let form = DocumentForm(
        title: "Nghị quyết mẫu", number: nil, issuer: "Chi ủy mẫu", kind: .resolution, level: .internal,
        issuedOn: DateComponents(year: 2026, month: 11, day: 1), forMeeting: nil,
        sections: [SectionForm(number: "1", heading: "Mục", text: "Xem tệp đính kèm.")])

    @Test("An attachment is fetched, checked and read a part at a time")
    func fromOnePhoneToAnother() async throws {
        let bytes = Data((0..<1_300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 / 7) })
        let file = try temporaryFolder().appendingPathComponent("a.pdf")
        try bytes.write(to: file)
        let secretary = try await Phone.joined("secretary", at: server)
        let attachment = AttachmentForm(name: "Nghị quyết.pdf", mediaType: "application/pdf", path: file.path)
        let document = try await secretary.handbook.publishDocument(form, attaching: [attachment])
        try FileManager.default.removeItem(at: file)
        try await secretary.handbook.sync()

        let member = try await Phone.joined("a", at: server).handbook
        let before = try await member.document(document).attachments
        #expect(before.map(\.name) == ["Nghị quyết.pdf"])
        #expect(before.map(\.size) == [1_300_000])
        #expect(before.map(\.ready) == [false])
        await #expect(throws: HandbookError.NotHere) { try await member.readAttachment(of: document, at: 0) }

        try await member.pinAttachment(of: document, at: 0)
        #expect(try await member.fetchPinnedAttachments() == 1)
        try await member.fetchAttachment(of: document, at: 0)
        #expect(try await member.document(document).attachments.map(\.ready) == [true])
        let first = try await member.readAttachment(of: document, at: 0)
        let rest = try await member.readAttachment(of: document, at: 0, from: UInt32(first.count))
        #expect(first + rest == bytes)
        #expect(try await member.attachmentStorage().used == 1_300_000)
        await #expect(throws: HandbookError.StorageFull) { try await member.setAttachmentQuota(1_000) }
    }

    @Test("A file of another kind is refused")
    func otherKind() async throws {
        let file = try temporaryFolder().appendingPathComponent("a.sh")
        try Data("x".utf8).write(to: file)
        let secretary = try await Phone.joined("secretary", at: server)
        let attachment = AttachmentForm(name: "a.sh", mediaType: "application/x-sh", path: file.path)
        let why = Rejection.invalid(field: .attachments, why: .unknownValue)
        await #expect(throws: HandbookError.Refused(why: why)) {
            try await secretary.handbook.publishDocument(form, attaching: [attachment])
        }
    }
}
