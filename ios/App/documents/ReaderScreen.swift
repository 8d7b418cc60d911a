import AVFoundation
import Sotay
import SotayApp
import SwiftUI

/// Reading, section by section; the phone remembers where reading stopped.
struct ReaderScreen: View {
    let from: UInt32
    @State private var reader: Reader
    @State private var voice = Voice()
    @State private var visible: Int?
    @Environment(\.words) private var words

    init(handbook: Handbook, document: DocumentKey, from: UInt32) {
        self.from = from
        _reader = State(initialValue: Reader(handbook, document))
    }

    var body: some View {
        ScrollView {
            LazyVStack(alignment: .leading, spacing: 24) {
                ForEach(reader.sections, id: \.order) { section in
                    VStack(alignment: .leading, spacing: 8) {
                        Text("\(section.number) \(section.heading)")
                            .font(.title3)
                            .accessibilityAddTraits(.isHeader)
                        Text(section.text)
                            .textSelection(.enabled)
                    }
                    .id(Int(section.order))
                }
                if !reader.isComplete { ProgressView().task { await reader.loadMore() } }
                if let problem = reader.problem { Text(words(Phrase(problem))) }
            }
            .scrollTargetLayout()
            .padding()
        }
        .scrollPosition(id: $visible)
        .task {
            await reader.load(upTo: from)
            visible = Int(from)
        }
        .onChange(of: visible) { _, order in
            guard let order else { return }
            Task { await reader.stopped(at: UInt32(order)) }
        }
        .onDisappear { voice.stop() }
        .toolbar {
            Button(voice.speaks ? "document.stopListening" : "document.listen") {
                voice.speaks ? voice.stop() : voice.read(reader.sections.filter { Int($0.order) >= visible ?? 0 })
            }
        }
    }
}

/// "Nghe đọc"
@MainActor @Observable
private final class Voice {
    private(set) var speaks = false
    private let synthesizer = AVSpeechSynthesizer()

    func read(_ sections: [SectionView]) {
        for section in sections {
            let utterance = AVSpeechUtterance(string: "\(section.heading). \(section.text)")
            utterance.voice = AVSpeechSynthesisVoice(language: "vi-VN")
            synthesizer.speak(utterance)
        }
        speaks = true
    }

    func stop() {
        synthesizer.stopSpeaking(at: .immediate)
        speaks = false
    }
}
