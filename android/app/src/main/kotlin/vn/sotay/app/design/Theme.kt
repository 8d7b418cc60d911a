package vn.sotay.app.design

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Typography
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.sp

// Every pair of text and ground has a contrast of at least 7 : 1.
internal val light =
    lightColorScheme(
        primary = Color(0xFF8F1616),
        onPrimary = Color.White,
        primaryContainer = Color(0xFFFBE3E0),
        onPrimaryContainer = Color(0xFF4A0A0A),
        secondary = Color(0xFF5B4230),
        onSecondary = Color.White,
        secondaryContainer = Color(0xFFFFF0C9),
        onSecondaryContainer = Color(0xFF3A2A00),
        tertiary = Color(0xFF14532D),
        onTertiary = Color.White,
        tertiaryContainer = Color(0xFFDDF3E3),
        onTertiaryContainer = Color(0xFF0B3A1E),
        error = Color(0xFF8C1D18),
        background = Color(0xFFFFFBF7),
        onBackground = Color(0xFF1C1613),
        surface = Color(0xFFFFFBF7),
        onSurface = Color(0xFF1C1613),
        surfaceVariant = Color(0xFFF4ECE4),
        onSurfaceVariant = Color(0xFF443A33),
        surfaceContainer = Color(0xFFF7EFE8),
        surfaceContainerHigh = Color(0xFFF2E9E1),
        surfaceContainerHighest = Color(0xFFF4ECE4),
        outline = Color(0xFF6F635A),
        outlineVariant = Color(0xFFCFC3B8),
    )

internal val dark =
    darkColorScheme(
        primary = Color(0xFFFFB4A9),
        onPrimary = Color(0xFF5C0B0B),
        primaryContainer = Color(0xFF6E1414),
        onPrimaryContainer = Color(0xFFFFE9E6),
        secondary = Color(0xFFE6C9A8),
        onSecondary = Color(0xFF38250F),
        secondaryContainer = Color(0xFF4A3A10),
        onSecondaryContainer = Color(0xFFFFF0C9),
        tertiary = Color(0xFF9BD8AE),
        onTertiary = Color(0xFF06311A),
        tertiaryContainer = Color(0xFF174A2B),
        onTertiaryContainer = Color(0xFFDDF3E3),
        error = Color(0xFFFFB4AB),
        background = Color(0xFF16120F),
        onBackground = Color(0xFFF3EAE3),
        surface = Color(0xFF16120F),
        onSurface = Color(0xFFF3EAE3),
        surfaceVariant = Color(0xFF2A231E),
        onSurfaceVariant = Color(0xFFE0D4CA),
        surfaceContainer = Color(0xFF211B17),
        surfaceContainerHigh = Color(0xFF2A231E),
        surfaceContainerHighest = Color(0xFF332B25),
        outline = Color(0xFFAFA298),
        outlineVariant = Color(0xFF54493F),
    )

/** Larger than usual: most readers are over sixty. All sizes grow with the phone's own setting. */
private val type =
    Typography(
        headlineMedium = TextStyle(fontSize = 26.sp, lineHeight = 34.sp, fontWeight = FontWeight.Bold),
        titleLarge = TextStyle(fontSize = 22.sp, lineHeight = 30.sp, fontWeight = FontWeight.Bold),
        titleMedium = TextStyle(fontSize = 19.sp, lineHeight = 27.sp, fontWeight = FontWeight.Bold),
        bodyLarge = TextStyle(fontSize = 19.sp, lineHeight = 28.sp),
        bodyMedium = TextStyle(fontSize = 17.sp, lineHeight = 25.sp),
        labelLarge = TextStyle(fontSize = 19.sp, lineHeight = 26.sp, fontWeight = FontWeight.Bold),
        labelMedium = TextStyle(fontSize = 14.sp, lineHeight = 18.sp, fontWeight = FontWeight.Medium),
    )

/** The app's colours and sizes, light or dark as the phone is set. */
@Composable
fun SotayTheme(
    isDark: Boolean = isSystemInDarkTheme(),
    content: @Composable () -> Unit,
) {
    MaterialTheme(colorScheme = if (isDark) dark else light, typography = type, content = content)
}
