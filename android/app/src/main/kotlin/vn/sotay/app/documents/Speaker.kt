package vn.sotay.app.documents

import android.content.Context
import android.speech.tts.TextToSpeech
import android.speech.tts.UtteranceProgressListener
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import java.util.Locale

/** Reads aloud with the phone's own voice. The voice is asked for on the first use. */
class Speaker(
    private val context: Context,
) : AutoCloseable {
    private val state = MutableStateFlow(false)
    private var voice: TextToSpeech? = null

    /** Whether it speaks now. */
    val speaking: StateFlow<Boolean> = state.asStateFlow()

    /** Begins with the first of the [texts], or stops. */
    fun toggle(texts: List<String>) {
        if (state.value) {
            voice?.stop()
            state.value = false
            return
        }
        state.value = true
        val ready = voice
        if (ready != null) return speak(ready, texts)
        var made: TextToSpeech? = null
        made =
            TextToSpeech(context.applicationContext) { status ->
                val engine = made
                if (status == TextToSpeech.SUCCESS && engine != null) speak(engine, texts) else state.value = false
            }
        voice = made
    }

    private fun speak(
        engine: TextToSpeech,
        texts: List<String>,
    ) {
        engine.language = Locale.forLanguageTag("vi-VN")
        engine.setOnUtteranceProgressListener(Progress(texts.lastIndex.toString()))
        val pieces = texts.flatMap { it.chunked(TextToSpeech.getMaxSpeechInputLength() - 1) }
        pieces.forEachIndexed { position, piece ->
            val mode = if (position == 0) TextToSpeech.QUEUE_FLUSH else TextToSpeech.QUEUE_ADD
            engine.speak(piece, mode, null, if (position == pieces.lastIndex) texts.lastIndex.toString() else "piece")
        }
    }

    override fun close() {
        voice?.shutdown()
        voice = null
        state.value = false
    }

    private inner class Progress(
        private val last: String,
    ) : UtteranceProgressListener() {
        override fun onStart(utterance: String?) = Unit

        override fun onDone(utterance: String?) {
            if (utterance == last) state.value = false
        }

        @Deprecated("Deprecated in Java")
        override fun onError(utterance: String?) {
            state.value = false
        }
    }
}
