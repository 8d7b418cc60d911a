import Foundation

/// How instants and days are written: "19 giờ 30, thứ Hai 05/01". Always in the time of Vietnam, where the meetings
/// are, wherever the reader is.
public struct Moments: Sendable {
    private let words: Words
    private let calendar: Calendar

    public init(_ words: Words) {
        self.words = words
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 7 * 3600) ?? .gmt
        self.calendar = calendar
    }

    /// 19 giờ 30; 19 giờ
    public func clock(_ date: Date) -> String {
        let parts = calendar.dateComponents([.hour, .minute], from: date)
        let hour = parts.hour ?? 0
        guard let minute = parts.minute, minute != 0 else { return words("moment.hour", .number(hour)) }
        return words("moment.hourMinute", .number(hour), .text(twoDigits(minute)))
    }

    /// thứ Hai 05/01; with the year where it is not that of `now`
    public func day(_ date: Date, now: Date = Date()) -> String {
        let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: date)
        let weekday = Phrase.Argument.phrase(Phrase("weekday.\(parts.weekday ?? 1)"))
        let (day, month) = (Phrase.Argument.text(twoDigits(parts.day)), Phrase.Argument.text(twoDigits(parts.month)))
        guard parts.year != calendar.component(.year, from: now) else {
            return words("moment.day", weekday, day, month)
        }
        return words("moment.dayYear", weekday, day, month, .number(parts.year ?? 0))
    }

    /// 19 giờ 30, thứ Hai 05/01
    public func moment(_ date: Date, now: Date = Date()) -> String {
        words("moment.clockDay", .text(clock(date)), .text(day(date, now: now)))
    }

    /// 19 giờ 30 – 21 giờ, thứ Hai 05/01
    public func span(from start: Date, to end: Date, now: Date = Date()) -> String {
        guard calendar.isDate(start, inSameDayAs: end) else {
            return words("moment.span", .text(moment(start, now: now)), .text(moment(end, now: now)))
        }
        let clocks = words("moment.span", .text(clock(start)), .text(clock(end)))
        return words("moment.clockDay", .text(clocks), .text(day(start, now: now)))
    }

    /// What changed between two instants, in as few words as say it: "19 giờ → 19 giờ 30" on the same day.
    public func difference(from before: Date, to after: Date, now: Date = Date()) -> (before: String, after: String) {
        if calendar.isDate(before, inSameDayAs: after) { return (clock(before), clock(after)) }
        return (moment(before, now: now), moment(after, now: now))
    }

    /// 05/01/1980
    public func date(_ day: DateComponents) -> String {
        words("moment.date", .text(twoDigits(day.day)), .text(twoDigits(day.month)), .number(day.year ?? 0))
    }

    private func twoDigits(_ number: Int?) -> String {
        let number = number ?? 0
        return number < 10 ? "0\(number)" : "\(number)"
    }
}
