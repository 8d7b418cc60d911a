package vn.sotay.app.lock

import androidx.annotation.DrawableRes
import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.ButtonDefaults
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import vn.sotay.app.R

/** How many digits a PIN has. */
const val PIN_DIGITS = 6

private const val DOT = "●"
private val corner = RoundedCornerShape(16.dp)

/**
 * Six places and a pad of large digits.
 *
 * It is no text field: a keyboard from elsewhere sees none of it, nothing can be copied, and what is typed is kept in memory only, as
 * what is saved when the app is set aside may outlive it.
 */
@Composable
fun PinPad(
    pin: String,
    onChange: (String) -> Unit,
) {
    var shown by remember { mutableStateOf(false) }
    val type = { digit: Char -> if (pin.length < PIN_DIGITS) onChange(pin + digit) }
    Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
        Typed(pin, shown)
        for (row in listOf("123", "456", "789")) {
            Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) { for (digit in row) Digit(digit, type) }
        }
        Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
            if (shown) {
                Mark(R.drawable.ic_hide, stringResource(R.string.pin_hide)) { shown = false }
            } else {
                Mark(R.drawable.ic_show, stringResource(R.string.pin_show)) { shown = true }
            }
            Digit('0', type)
            Mark(R.drawable.ic_erase, stringResource(R.string.pin_erase)) { onChange(pin.dropLast(1)) }
        }
    }
}

/** What was typed so far, as dots unless it is asked for. A screen reader says how many there are, and not which. */
@Composable
private fun Typed(
    pin: String,
    shown: Boolean,
) {
    val spoken = stringResource(R.string.pin_typed, pin.length, PIN_DIGITS)
    // These stay as they are where all text is twice as large: they are large, and must fit side by side.
    val size = with(LocalDensity.current) { 32.dp.toSp() }
    Row(
        Modifier.fillMaxWidth().clearAndSetSemantics {
            contentDescription = spoken
            liveRegion = LiveRegionMode.Polite
        },
        horizontalArrangement = Arrangement.spacedBy(8.dp),
    ) {
        for (place in 0 until PIN_DIGITS) {
            val digit = pin.getOrNull(place)
            Surface(
                Modifier.weight(1f).height(56.dp),
                shape = RoundedCornerShape(12.dp),
                color = MaterialTheme.colorScheme.surface,
                border =
                    if (place == pin.length) {
                        BorderStroke(3.dp, MaterialTheme.colorScheme.primary)
                    } else {
                        BorderStroke(1.dp, MaterialTheme.colorScheme.outline)
                    },
            ) {
                Box(contentAlignment = Alignment.Center) {
                    val text =
                        when {
                            digit == null -> ""
                            shown -> digit.toString()
                            else -> DOT
                        }
                    Text(text, style = TextStyle(fontSize = size, fontWeight = FontWeight.Bold))
                }
            }
        }
    }
}

@Composable
private fun RowScope.Digit(
    digit: Char,
    onType: (Char) -> Unit,
) = Key(digit.toString(), { onType(digit) }) {
    Text(digit.toString(), style = TextStyle(fontSize = 30.sp, lineHeight = 38.sp, fontWeight = FontWeight.Bold))
}

@Composable
private fun RowScope.Mark(
    @DrawableRes icon: Int,
    spoken: String,
    onClick: () -> Unit,
) = Key(spoken, onClick) { Icon(painterResource(icon), null, Modifier.size(32.dp)) }

@Composable
private fun RowScope.Key(
    spoken: String,
    onClick: () -> Unit,
    face: @Composable () -> Unit,
) = OutlinedButton(
    onClick,
    Modifier.weight(1f).heightIn(min = 64.dp),
    shape = corner,
    colors =
        ButtonDefaults.outlinedButtonColors(
            containerColor = MaterialTheme.colorScheme.surface,
            contentColor = MaterialTheme.colorScheme.onSurface,
        ),
    border = BorderStroke(1.dp, MaterialTheme.colorScheme.outline),
    contentPadding = PaddingValues(4.dp),
) { Box(Modifier.clearAndSetSemantics { contentDescription = spoken }) { face() } }
