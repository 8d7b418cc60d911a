package vn.sotay.app.design

import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.sp

// Twice as large still fits into the width of a small phone, one half above the other.
private val style = TextStyle(fontSize = 48.sp, lineHeight = 60.sp, fontWeight = FontWeight.Bold, letterSpacing = 2.sp)

/** Six digits to be read out and compared, in two halves; a screen reader says them one by one and not as a number. */
@Composable
fun SixDigits(digits: String) =
    Text(
        digits.chunked(3).joinToString(" "),
        Modifier.fillMaxWidth().semantics { contentDescription = spelled(digits) },
        textAlign = TextAlign.Center,
        style = style,
    )

/** As it is read out one by one, with a pause between the groups. */
fun spelled(symbols: String): String =
    symbols
        .split('-', ' ')
        .flatMap { if (it.length == 6) it.chunked(3) else listOf(it) }
        .joinToString(", ") { it.toList().joinToString(" ") }
