package vn.sotay.app

import android.graphics.Bitmap
import android.graphics.Canvas
import androidx.activity.ComponentActivity
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.isHeading
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.text.TextLayoutResult
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import vn.sotay.app.design.SotayTheme
import vn.sotay.app.samples.Gallery
import java.io.File

/** Every screen, at the usual size of text and at twice that: what holds for all of them, and their pictures. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-hdpi", application = android.app.Application::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest(
    private val screen: Gallery,
    private val fontScale: Float,
) {
    @get:Rule
    val rule = createAndroidComposeRule<ComponentActivity>()

    private fun show() =
        rule.setContent {
            val density = LocalDensity.current
            CompositionLocalProvider(LocalDensity provides Density(density.density, fontScale)) {
                SotayTheme(isDark = false) { Surface(color = MaterialTheme.colorScheme.background) { screen.Show() } }
            }
        }

    @Test
    fun `whatever can be pressed has a label and 48 dp`() {
        show()
        val pressed = rule.onAllNodes(hasClickAction()).fetchSemanticsNodes()
        assertTrue("$screen has nothing to press", pressed.isNotEmpty())
        for (node in pressed) {
            assertTrue("no label: ${node.config}", node.label().isNotBlank())
            val (width, height) =
                with(rule.density) {
                    node.touchBoundsInRoot.width.toDp() to
                        node.touchBoundsInRoot.height.toDp()
                }
            // What scrolled half out of sight is clipped; its own size tells.
            val size = with(rule.density) { node.size.width.toDp() to node.size.height.toDp() }
            assertTrue(
                "$width × $height: ${node.label()}",
                maxOf(width, size.first) >= 48.dp && maxOf(height, size.second) >= 48.dp,
            )
        }
    }

    @Test
    fun `it has a heading and no text is cut off`() {
        show()
        assertTrue("no heading", rule.onAllNodes(isHeading()).fetchSemanticsNodes().isNotEmpty())
        val texts =
            rule.onAllNodes(
                SemanticsMatcher.keyIsDefined(SemanticsActions.GetTextLayoutResult),
                useUnmergedTree = true,
            )
        for (node in texts.fetchSemanticsNodes()) {
            val layouts = ArrayList<TextLayoutResult>()
            node.config[SemanticsActions.GetTextLayoutResult].action?.invoke(layouts)
            for (layout in layouts) {
                assertFalse("cut off: ${layout.layoutInput.text}", layout.didOverflowHeight)
            }
            val right = node.positionInRoot.x + node.size.width
            assertTrue(
                "past the edge: ${node.config}",
                node.positionInRoot.x >= 0 && right <= rule.activity.window.decorView.width,
            )
        }
    }

    @Test
    fun `it can be drawn`() {
        val folder = checkNotNull(System.getProperty("sotay.pictures"))
        show()
        val view = rule.activity.window.decorView
        val picture = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        rule.runOnIdle { view.draw(Canvas(picture)) }
        val name = screen.name.replace(Regex("(?<=[a-z])[A-Z]")) { "_" + it.value }.lowercase()
        val file = File(folder, if (fontScale > 1) "${name}_large_text.png" else "$name.png")
        file.parentFile?.mkdirs()
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
        assertTrue("$file is empty", file.length() > 4_000)
        assertTrue("$file is large: ${file.length()}", file.length() < 120_000)
    }

    private fun SemanticsNode.label(): String =
        listOf(
            config.getOrNull(SemanticsProperties.ContentDescription).orEmpty(),
            config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text },
        ).flatten().joinToString(" ")

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0} × {1}")
        fun all(): List<Array<Any>> = Gallery.entries.flatMap { listOf(arrayOf(it, 1f), arrayOf(it, 2f)) }
    }
}
