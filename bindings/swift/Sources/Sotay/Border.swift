import Foundation

// The generated code calls these functions; bindings/uniffi.toml names them.
//
// A day crosses the border as `YYYY-MM-DD` and is `DateComponents` here: year, month and day, without time of day or
// time zone, so that no clock can move it.

/// The day that the library wrote.
func calendarDate(fromText text: String) -> DateComponents {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3 else { return DateComponents() }
    return DateComponents(year: parts[0], month: parts[1], day: parts[2])
}

/// The text of a day. Components without year, month or day give a text that the library refuses.
func text(ofCalendarDate date: DateComponents) -> String {
    func padded(_ number: Int?, to width: Int) -> String {
        let digits = String(number ?? 0)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(date.year, to: 4))-\(padded(date.month, to: 2))-\(padded(date.day, to: 2))"
}

/// An instant as the library takes it: whole milliseconds. `Date` holds binary fractions, a nearest one of which may
/// lie a trifle below the millisecond that is meant, and what crosses the border is cut off, not rounded.
func wholeMilliseconds(_ date: Date) -> Date {
    let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
    return Date(timeIntervalSince1970: (milliseconds + (milliseconds < 0 ? -0.001 : 0.001)) / 1000)
}
