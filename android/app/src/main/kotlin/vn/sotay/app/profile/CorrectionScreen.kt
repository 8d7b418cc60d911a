package vn.sotay.app.profile

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Field
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.Screen
import vn.sotay.app.design.WhoSees
import vn.sotay.app.text.name
import vn.sotay.model.ProfileField

private val fields =
    listOf(
        ProfileField.Name,
        ProfileField.Born,
        ProfileField.AdmittedOn,
        ProfileField.OfficialOn,
        ProfileField.CardNumber,
        ProfileField.Cell,
        ProfileField.Other,
    )

/** Báo sai thông tin: which line is wrong, and what it should say. */
@Composable
fun CorrectionScreen(
    onSend: (ProfileField, String) -> Unit,
    back: () -> Unit,
) {
    val resources = LocalContext.current.resources
    var chosen by rememberSaveable { mutableIntStateOf(-1) }
    var text by rememberSaveable { mutableStateOf("") }
    Screen(stringResource(R.string.correction_title), back = back) {
        Heading(stringResource(R.string.correction_which))
        Choices(fields, fields.getOrNull(chosen), resources::name) { chosen = fields.indexOf(it) }
        Field(stringResource(R.string.correction_right), text, { text = it }, lines = 2)
        WhoSees(stringResource(R.string.who_sees_office))
        MainButton(stringResource(R.string.send), { onSend(fields[chosen], text) }, enabled = chosen >= 0)
    }
}
