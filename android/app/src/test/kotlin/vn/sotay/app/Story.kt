package vn.sotay.app

import android.os.Looper
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.SemanticsNodeInteraction
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasScrollToNodeAction
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.AndroidComposeTestRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performScrollToNode
import androidx.compose.ui.test.performTextClearance
import androidx.compose.ui.test.performTextInput
import kotlinx.coroutines.runBlocking
import org.robolectric.Shadows.shadowOf

private const val PATIENCE = 30_000L

/** What a person does and sees on the one phone that shows the app. */
class Story(
    private val rule: AndroidComposeTestRule<*, MainActivity>,
) {
    fun string(
        id: Int,
        vararg with: Any,
    ): String = rule.activity.getString(id, *with)

    fun type(
        label: Int,
        text: String,
    ) = find(hasContentDescription(string(label))).performTextInput(text)

    fun clear(label: Int) = find(hasContentDescription(string(label))).performTextClearance()

    /** Presses the button that says or is read out as [label]. */
    fun press(label: String) {
        find(hasContentDescription(label)).performClick()
    }

    fun press(label: Int) = press(string(label))

    fun choose(text: String) {
        find(hasText(text)).performClick()
    }

    fun sees(
        text: String,
        substring: Boolean = false,
    ) {
        find(hasText(text, substring))
    }

    fun seesNo(text: String) =
        rule.waitUntil(PATIENCE) { rule.onAllNodes(hasText(text)).fetchSemanticsNodes().isEmpty() }

    /** Waits until something is so on another phone, which syncs before each look. */
    fun until(condition: suspend () -> Boolean) = rule.waitUntil(PATIENCE) { runBlocking { condition() } }

    /** Waits until something is so in the app itself, also while nobody sees it. */
    fun waitsUntil(condition: () -> Boolean) =
        rule.waitUntil(PATIENCE) {
            shadowOf(Looper.getMainLooper()).idle()
            condition()
        }

    /** Waits for it, and scrolls to it. */
    private fun find(matcher: SemanticsMatcher): SemanticsNodeInteraction {
        rule.waitUntil(PATIENCE) { exists(matcher) || scrollsTo(matcher) }
        val node = rule.onAllNodes(matcher).onFirst()
        try {
            node.performScrollTo()
        } catch (_: AssertionError) {
            // It stands where nothing scrolls.
        }
        return node
    }

    private fun exists(matcher: SemanticsMatcher) = rule.onAllNodes(matcher).fetchSemanticsNodes().isNotEmpty()

    /** A long list makes its lines when they come into sight. */
    private fun scrollsTo(matcher: SemanticsMatcher): Boolean {
        if (rule.onAllNodes(hasScrollToNodeAction()).fetchSemanticsNodes().isEmpty()) return false
        return try {
            rule.onNode(hasScrollToNodeAction()).performScrollToNode(matcher)
            true
        } catch (_: AssertionError) {
            false
        }
    }
}
