import Foundation
import Sotay
import Testing

@testable import SotayApp

@Suite("Phrases and dates")
struct WordsTests {
    let vietnamese: Words
    let english: Words
    let moments: Moments

    init() throws {
        let catalogue = try Catalogue.read()
        vietnamese = catalogue.words("vi")
        english = catalogue.words("en")
        moments = Moments(vietnamese)
    }

    /// An instant of Vietnam's time.
    private func instant(_ text: String) throws -> Date {
        try #require(ISO8601DateFormatter().date(from: "\(text):00+07:00"))
    }

    @Test("A moment is written as people say it")
    func moment() throws {
        let now = try instant("2026-01-02T08:00")
        #expect(moments.moment(try instant("2026-01-05T19:30"), now: now) == "19 giờ 30, thứ Hai 05/01")
        #expect(moments.moment(try instant("2026-01-04T07:00"), now: now) == "7 giờ, Chủ nhật 04/01")
        #expect(moments.moment(try instant("2026-02-28T14:05"), now: now) == "14 giờ 05, thứ Bảy 28/02")
        #expect(Moments(english).moment(try instant("2026-01-05T19:30"), now: now) == "19:30, Monday 05/01")
    }

    @Test("Another year is named")
    func otherYear() throws {
        let now = try instant("2026-12-30T08:00")
        #expect(moments.moment(try instant("2027-01-04T19:30"), now: now) == "19 giờ 30, thứ Hai 04/01/2027")
    }

    @Test("A day is Vietnam's day, also late in the evening")
    func lateEvening() throws {
        let now = try instant("2026-01-02T08:00")
        #expect(moments.day(try instant("2026-01-05T23:59"), now: now) == "thứ Hai 05/01")
        #expect(moments.day(try instant("2026-01-06T00:01"), now: now) == "thứ Ba 06/01")
    }

    @Test("Beginning and end of one day share the day")
    func span() throws {
        let now = try instant("2026-01-02T08:00")
        let start = try instant("2026-01-05T19:30")
        #expect(
            moments.span(from: start, to: try instant("2026-01-05T21:00"), now: now)
                == "19 giờ 30 – 21 giờ, thứ Hai 05/01")
        #expect(
            moments.span(from: start, to: try instant("2026-01-06T08:00"), now: now)
                == "19 giờ 30, thứ Hai 05/01 – 8 giờ, thứ Ba 06/01")
    }

    @Test("A calendar day has no clock")
    func date() {
        #expect(moments.date(DateComponents(year: 1980, month: 1, day: 5)) == "05/01/1980")
    }

    @Test("A change of the hour says the hours; of the day, the days")
    func differences() throws {
        let before = try instant("2026-01-05T19:00")
        let hour = NoticeDifference.startsAt(before: before, after: try instant("2026-01-05T19:30"))
        #expect(Phrase.phrases(of: hour, moments).map(vietnamese.callAsFunction) == ["Đã đổi giờ: 19 giờ → 19 giờ 30"])
        let texts = moments.difference(
            from: before, to: try instant("2026-01-06T19:00"), now: try instant("2026-01-02T08:00"))
        #expect(texts == ("19 giờ, thứ Hai 05/01", "19 giờ, thứ Ba 06/01"))
        let agenda = NoticeDifference.agenda(added: ["Bầu bổ sung"], removed: ["Việc khác"])
        #expect(
            Phrase.phrases(of: agenda, moments).map(vietnamese.callAsFunction)
                == ["Thêm nội dung: Bầu bổ sung", "Bỏ nội dung: Việc khác"])
        let mode = NoticeDifference.mode(before: .inRoom, after: .mixed)
        #expect(
            Phrase.phrases(of: mode, moments).map(vietnamese.callAsFunction)
                == ["Đã đổi hình thức họp: Họp tại chỗ → Tại chỗ và trực tuyến"])
    }

    @Test("What a person wrote is never read as a format")
    func noFormats() {
        #expect(Words.filled("%@ và %@", with: ["100%@", "%2$@"]) == "100%@ và %2$@")
        #expect(Words.filled("%2$@ %1$@ %%", with: ["a", "b"]) == "b a %")
        #expect(Words.filled("%@ %@", with: ["một"]) == "một ")
        #expect(Words.filled("85%", with: []) == "85%")
    }

    @Test("A refusal says what can be done, with its facts")
    func refusals() {
        let early = HandbookError.Refused(why: .invalid(field: .endsAt, why: .endBeforeStart))
        #expect(vietnamese(Phrase(early)) == "Giờ kết thúc: kết thúc trước khi bắt đầu.")
        #expect(english(Phrase(early)) == "End: the end is before the beginning.")
        let marked = HandbookError.Refused(why: .secret(field: .title, level: .secret))
        #expect(vietnamese(Phrase(marked)).contains("“MẬT”"))
        #expect(
            vietnamese(Phrase(HandbookError.InvitationUnreadable(fault: .length(found: 4))))
                == "Mã có 13 ký tự, đồng chí đã gõ 4.")
        #expect(
            vietnamese(Phrase(HandbookError.ServerUnexpected(address: "a:1", fault: .status(code: 500)))).contains(
                "500"))
        #expect(vietnamese(Phrase(HandbookError.KeyLost(unsent: 3))).contains("3"))
    }

    @Test("A code of a newer version still has words")
    func newerCodes() {
        #expect(vietnamese(Phrase("choice", code: Choice.unknown(code: 99))) == "Mục mới (cần cập nhật ứng dụng)")
        #expect(
            vietnamese(Phrase(HandbookError.Refused(why: .notAllowed(why: .unknown(code: 99))))).hasPrefix(
                "Chưa được phép"))
    }

    @Test("Being without a network is told without alarm; when everything is sent nothing is told")
    func delivery() throws {
        func phrase(_ unsent: UInt32, _ offline: Bool) -> Phrase? {
            Phrase(DeliveryView(unsent: unsent, refused: 0, lastSyncedAt: nil, offline: offline))
        }
        #expect(phrase(0, false) == nil)
        #expect(vietnamese(try #require(phrase(0, true))) == "Chưa có mạng. Đã lưu, sẽ tự gửi.")
        #expect(vietnamese(try #require(phrase(2, true))) == "Chưa có mạng. Đã lưu 2 nội dung, sẽ tự gửi.")
        #expect(vietnamese(try #require(phrase(2, false))) == "Đang gửi (2)")
    }
}
