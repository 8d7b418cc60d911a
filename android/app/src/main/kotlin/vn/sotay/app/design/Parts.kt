package vn.sotay.app.design

import androidx.annotation.DrawableRes
import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.sizeIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.ButtonDefaults
import androidx.compose.material3.Checkbox
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.RadioButton
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import vn.sotay.app.R

private val corner = RoundedCornerShape(16.dp)
private val buttonPadding = PaddingValues(horizontal = 16.dp, vertical = 12.dp)

/** A screen that scrolls: a title, a way back where there is one, and what it shows. */
@Composable
fun Screen(
    title: String,
    modifier: Modifier = Modifier,
    back: (() -> Unit)? = null,
    content: @Composable ColumnScope.() -> Unit,
) {
    Surface(modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        Column {
            TitleBar(title, back)
            Column(
                Modifier
                    .fillMaxSize()
                    .verticalScroll(rememberScrollState())
                    .padding(start = 16.dp, end = 16.dp, bottom = 24.dp),
                verticalArrangement = Arrangement.spacedBy(12.dp),
                content = content,
            )
        }
    }
}

/** The title of a screen, and the way back. */
@Composable
fun TitleBar(
    title: String,
    back: (() -> Unit)?,
    actions: @Composable () -> Unit = {},
) {
    Row(
        Modifier
            .fillMaxWidth()
            .padding(start = if (back == null) 16.dp else 4.dp, end = 16.dp, top = 12.dp, bottom = 8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        if (back != null) {
            IconButton(back, Modifier.size(56.dp)) {
                Icon(painterResource(R.drawable.ic_back), stringResource(R.string.back), Modifier.size(28.dp))
            }
        }
        Text(title, Modifier.weight(1f).semantics { heading() }, style = MaterialTheme.typography.headlineMedium)
        actions()
    }
}

/** A heading between the parts of a screen. */
@Composable
fun Heading(text: String) {
    Text(
        text,
        Modifier.padding(top = 12.dp).semantics { heading() },
        style = MaterialTheme.typography.titleLarge,
        color = MaterialTheme.colorScheme.onBackground,
    )
}

/** What belongs together, on a ground of its own; the whole of it opens something where [onClick] says so. */
@Composable
fun Panel(
    modifier: Modifier = Modifier,
    tone: Tone = Tone.Plain,
    onClick: (() -> Unit)? = null,
    content: @Composable ColumnScope.() -> Unit,
) {
    val (ground, ink) = tone.colours()
    Surface(
        modifier
            .fillMaxWidth()
            .then(if (onClick == null) Modifier else Modifier.clickable(role = Role.Button, onClick = onClick)),
        shape = corner,
        color = ground,
        contentColor = ink,
        border = if (tone == Tone.Plain) BorderStroke(1.dp, MaterialTheme.colorScheme.outlineVariant) else null,
    ) {
        Column(
            Modifier.heightIn(min = 48.dp).padding(16.dp),
            verticalArrangement = Arrangement.spacedBy(8.dp),
            content = content,
        )
    }
}

/** How loudly a panel speaks. */
enum class Tone { Plain, Attention, Important, Good }

@Composable
private fun Tone.colours(): Pair<Color, Color> =
    with(MaterialTheme.colorScheme) {
        when (this@colours) {
            Tone.Plain -> surface to onSurface
            Tone.Attention -> secondaryContainer to onSecondaryContainer
            Tone.Important -> primaryContainer to onPrimaryContainer
            Tone.Good -> tertiaryContainer to onTertiaryContainer
        }
    }

/** What a value is, and the value below it: read out as one. */
@Composable
fun Labelled(
    label: String,
    value: String,
    style: TextStyle = MaterialTheme.typography.bodyLarge,
) {
    Column(
        Modifier.padding(vertical = 2.dp).semantics(mergeDescendants = true) {},
        verticalArrangement = Arrangement.spacedBy(4.dp),
    ) {
        Text(label, style = MaterialTheme.typography.bodyMedium, color = MaterialTheme.colorScheme.onSurfaceVariant)
        Text(value, style = style)
    }
}

/** A paragraph. */
@Composable
fun Words(
    text: String,
    modifier: Modifier = Modifier,
    style: TextStyle = MaterialTheme.typography.bodyLarge,
) = Text(text, modifier, style = style)

/** A smaller remark. */
@Composable
fun Remark(text: String) =
    Text(text, style = MaterialTheme.typography.bodyMedium, color = MaterialTheme.colorScheme.onSurfaceVariant)

/** The button for what most people will do here. [spoken] is read out instead of [text] where several look alike. */
@Composable
fun MainButton(
    text: String,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    spoken: String = text,
) {
    Button(
        onClick,
        modifier.fillMaxWidth().heightIn(min = 56.dp).semantics { contentDescription = spoken },
        enabled = enabled,
        shape = corner,
        // Readable also while it cannot be pressed.
        colors =
            ButtonDefaults.buttonColors(
                disabledContainerColor = MaterialTheme.colorScheme.surfaceContainerHighest,
                disabledContentColor = MaterialTheme.colorScheme.onSurfaceVariant,
            ),
        contentPadding = buttonPadding,
    ) { ButtonText(text) }
}

/** A button for anything else. */
@Composable
fun OtherButton(
    text: String,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    spoken: String = text,
) {
    OutlinedButton(
        onClick,
        modifier.fillMaxWidth().heightIn(min = 56.dp).semantics { contentDescription = spoken },
        enabled = enabled,
        shape = corner,
        colors =
            ButtonDefaults.outlinedButtonColors(
                containerColor = MaterialTheme.colorScheme.surface,
                disabledContentColor = MaterialTheme.colorScheme.onSurfaceVariant,
            ),
        border = BorderStroke(2.dp, MaterialTheme.colorScheme.outline),
        contentPadding = buttonPadding,
    ) { ButtonText(text) }
}

// The button itself says its text, see `spoken`.
@Composable
private fun ButtonText(text: String) =
    Text(
        text,
        Modifier.clearAndSetSemantics {},
        textAlign = TextAlign.Center,
        style = MaterialTheme.typography.labelLarge,
    )

/** One of several choices in a list. */
@Composable
fun <T> Choices(
    options: List<T>,
    chosen: T?,
    name: (T) -> String,
    onChoose: (T) -> Unit,
) {
    Column(Modifier.selectableGroup()) {
        for (option in options) {
            Row(
                Modifier
                    .fillMaxWidth()
                    .heightIn(min = 56.dp)
                    .selectable(option == chosen, role = Role.RadioButton) { onChoose(option) },
                verticalAlignment = Alignment.CenterVertically,
            ) {
                RadioButton(option == chosen, null, Modifier.padding(end = 12.dp))
                Words(name(option))
            }
        }
    }
}

/** Something that is so or not. */
@Composable
fun Tick(
    text: String,
    ticked: Boolean,
    onTick: (Boolean) -> Unit,
) {
    Row(
        Modifier
            .fillMaxWidth()
            .heightIn(min = 56.dp)
            .toggleable(ticked, role = Role.Checkbox, onValueChange = onTick),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Checkbox(ticked, null, Modifier.padding(end = 12.dp))
        Words(text)
    }
}

/** A field to write in; its label stays above it, where a long one finds room. */
@Composable
fun Field(
    label: String,
    text: String,
    onChange: (String) -> Unit,
    modifier: Modifier = Modifier,
    hint: String? = null,
    lines: Int = 1,
    keyboard: KeyboardOptions = KeyboardOptions.Default,
) {
    Column(verticalArrangement = Arrangement.spacedBy(4.dp)) {
        Text(label, Modifier.clearAndSetSemantics {}, style = MaterialTheme.typography.titleMedium)
        OutlinedTextField(
            text,
            onChange,
            modifier.fillMaxWidth().semantics { contentDescription = label },
            textStyle = MaterialTheme.typography.bodyLarge,
            singleLine = lines == 1,
            minLines = lines,
            keyboardOptions = keyboard,
            shape = RoundedCornerShape(12.dp),
        )
        if (hint != null) Remark(hint)
    }
}

/** "Ai xem được?": stands on every form. */
@Composable
fun WhoSees(who: String) {
    Panel(tone = Tone.Attention) {
        Column(Modifier.semantics(mergeDescendants = true) {}, verticalArrangement = Arrangement.spacedBy(4.dp)) {
            Text(stringResource(R.string.who_sees), style = MaterialTheme.typography.titleMedium)
            Words(who)
        }
    }
}
