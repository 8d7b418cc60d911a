import Foundation
import Testing

@testable import Sotay

@Suite("Days at the border")
struct BorderTests {
    @Test("A day keeps its text", arguments: ["2026-11-22", "0999-01-01", "2024-02-29"])
    func keepsItsText(day: String) {
        #expect(text(ofCalendarDate: calendarDate(fromText: day)) == day)
    }

    @Test("Components that are no day give a text that is none, not another day")
    func incomplete() {
        #expect(text(ofCalendarDate: DateComponents(year: 2026)) == "2026-00-00")
    }
}
