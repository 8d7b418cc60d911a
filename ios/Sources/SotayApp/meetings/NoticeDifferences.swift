import Sotay

extension Phrase {
    /// A changed field of a notice: "Đã đổi giờ: 19 giờ → 19 giờ 30". Entries of a list are said one by one.
    public static func phrases(of difference: NoticeDifference, _ moments: Moments) -> [Phrase] {
        let key = "difference.\(caseName(of: difference))"
        switch difference {
        case .title(let before, let after), .place(let before, let after):
            return [Phrase(key, .text(before), .text(after))]
        case .startsAt(let before, let after), .endsAt(let before, let after), .answerBy(let before, let after),
            .absenceBy(let before, let after):
            let texts = moments.difference(from: before, to: after)
            return [Phrase(key, .text(texts.before), .text(texts.after))]
        case .mode(let before, let after):
            return [
                Phrase(
                    key, .phrase(Phrase("meetingMode", code: before)), .phrase(Phrase("meetingMode", code: after)))
            ]
        case .agenda(let added, let removed), .guests(let added, let removed):
            return added.map { Phrase("\(key).added", .text($0)) } + removed.map { Phrase("\(key).removed", .text($0)) }
        case .documents(let added, let removed):
            let gone = removed == 0 ? [] : [Phrase("\(key).removed", .count(removed))]
            return added.map { Phrase("\(key).added", .text($0.title)) } + gone
        }
    }
}
