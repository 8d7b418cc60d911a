package vn.sotay.app

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import java.io.File

/**
 * The handbooks on this phone: one, or several where people share it, each in a folder of its own in [place] with a lock of its own.
 *
 * The names of the folders are all that lies outside of them, and say nothing about whose they are. Whoever goes from one handbook to
 * another locks the first, where it has a PIN. A handbook in which nobody joined goes as soon as it is left for another.
 *
 * [keep] says how a handbook with a name is kept. All functions are called on the main thread, which is [scope]'s.
 */
class Handbooks(
    private val place: File,
    private val scope: CoroutineScope,
    private val keep: (name: String) -> KeptHandbook,
) {
    private val kept = MutableStateFlow(found().map { keep(name(it)) })
    private var last = found().last()
    private val inUse = MutableStateFlow(kept.value.singleOrNull())

    /** In the order in which they came; never none. */
    val all: StateFlow<List<KeptHandbook>> = kept.asStateFlow()

    /** The one that is looked at; none while somebody has to say whose it is to be. */
    val chosen: StateFlow<KeptHandbook?> = inUse.asStateFlow()

    val hasRoom: Boolean get() = kept.value.size < MOST

    /** Opens each that opens without a PIN. */
    fun open() = kept.value.forEach { it.open() }

    fun choose(handbook: KeptHandbook) {
        inUse.value = handbook
    }

    /** Asks whose handbook it is to be. */
    fun leave() {
        val left = inUse.value ?: return
        inUse.value = null
        left.lock()
        scope.launch {
            if (kept.value.size > 1 && left.isNobodys()) {
                kept.value -= left
                left.remove()
            }
        }
    }

    /** One more, for somebody who joins next. */
    fun add() {
        if (!hasRoom) return
        last += 1
        val new = keep(name(last))
        kept.value += new
        inUse.value = new
        new.open()
    }

    fun outOfSight() = kept.value.forEach { it.outOfSight() }

    fun inSight() = kept.value.forEach { it.inSight() }

    private fun found(): List<Int> =
        place
            .listFiles { file -> file.isDirectory }
            .orEmpty()
            .mapNotNull { NAME.matchEntire(it.name) }
            .map { it.groupValues[1].ifEmpty { "1" }.toInt() }
            .sorted()
            .ifEmpty { listOf(1) }

    private fun name(number: Int) = if (number == 1) FIRST else "$FIRST-$number"

    companion object {
        const val FIRST = "handbook"
        private val NAME = Regex("$FIRST(?:-(\\d{1,3}))?")

        /** So many people share a phone at most. */
        const val MOST = 4
    }
}
