package vn.sotay.app

import androidx.compose.material3.ColorScheme
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.luminance
import org.junit.Assert.assertTrue
import org.junit.Test
import vn.sotay.app.design.dark
import vn.sotay.app.design.light

/** Every text is readable on its ground for old eyes: WCAG 2.2, level AAA. */
class ContrastTest {
    @Test
    fun `text has a contrast of at least 7 to 1, in light and in dark`() {
        for ((name, colours) in mapOf("light" to light, "dark" to dark)) {
            for ((ink, ground) in colours.pairs()) {
                val contrast = contrast(ink, ground)
                assertTrue("$name: $ink on $ground has $contrast", contrast >= 7)
            }
        }
    }

    private fun ColorScheme.pairs() =
        listOf(
            onBackground to background,
            onSurface to surface,
            onSurfaceVariant to surface,
            onSurfaceVariant to surfaceVariant,
            onSurfaceVariant to surfaceContainerHigh,
            // Remarks also stand on coloured panels.
            onSurfaceVariant to primaryContainer,
            onSurfaceVariant to secondaryContainer,
            onSurfaceVariant to tertiaryContainer,
            onSurfaceVariant to surfaceContainerHighest,
            onPrimary to primary,
            onPrimaryContainer to primaryContainer,
            onSecondaryContainer to secondaryContainer,
            onTertiaryContainer to tertiaryContainer,
            // Buttons without a ground of their own, the chosen tab.
            primary to surface,
            primary to surfaceContainerHigh,
        )

    private fun contrast(
        one: Color,
        other: Color,
    ): Float {
        val (brighter, darker) = listOf(one.luminance(), other.luminance()).sortedDescending()
        return (brighter + 0.05f) / (darker + 0.05f)
    }
}
