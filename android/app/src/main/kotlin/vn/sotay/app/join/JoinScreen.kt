package vn.sotay.app.join

import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType
import vn.sotay.app.R
import vn.sotay.app.design.Field
import vn.sotay.app.design.Labelled
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.SixDigits
import vn.sotay.app.design.Tone
import vn.sotay.app.design.WhoSees
import vn.sotay.app.design.Words

/**
 * Joining with an invitation: typed, or opened as a link that the phone's camera app read. [scanned] is that link; [problem] says
 * why the last try failed.
 */
@Composable
fun JoinScreen(
    scanned: String?,
    working: Boolean,
    problem: String?,
    onJoin: (invitation: String) -> Unit,
) {
    var address by rememberSaveable { mutableStateOf("") }
    var code by rememberSaveable { mutableStateOf("") }
    Screen(stringResource(R.string.join_greeting)) {
        if (scanned == null) {
            Words(stringResource(R.string.join_explained))
            Field(
                stringResource(R.string.join_address),
                address,
                { address = it },
                hint = stringResource(R.string.join_address_example),
                keyboard = KeyboardOptions(keyboardType = KeyboardType.Uri, autoCorrectEnabled = false),
            )
            Field(
                stringResource(R.string.join_code),
                code,
                { code = it },
                hint = stringResource(R.string.join_code_example),
                keyboard =
                    KeyboardOptions(
                        capitalization = KeyboardCapitalization.Characters,
                        autoCorrectEnabled = false,
                    ),
            )
        } else {
            Words(stringResource(R.string.join_from_link))
            Panel { Labelled(stringResource(R.string.join_server), serverOf(scanned)) }
            Remark(stringResource(R.string.join_server_known))
        }
        if (problem != null) Panel(tone = Tone.Important) { Words(problem) }
        MainButton(
            stringResource(if (working) R.string.join_working else R.string.join_submit),
            { onJoin(scanned ?: typedInvitation(address, code)) },
            enabled = !working && (scanned != null || (address.isNotBlank() && code.isNotBlank())),
        )
        WhoSees(stringResource(R.string.who_sees_server))
        if (scanned == null) Remark(stringResource(R.string.join_scan_hint))
        Remark(stringResource(R.string.official_app_notice))
    }
}

/** The invitation is used; an officer has to compare these six digits before the handbook opens. */
@Composable
fun WaitingScreen(
    digits: String,
    host: String,
    onStop: () -> Unit,
) {
    Screen(stringResource(R.string.join_waiting_title)) {
        Words(stringResource(R.string.join_read_out), style = MaterialTheme.typography.titleLarge)
        Panel(tone = Tone.Attention) { SixDigits(digits) }
        Words(stringResource(R.string.join_waiting))
        Labelled(stringResource(R.string.join_server), host)
        Remark(stringResource(R.string.join_waiting_why))
        OtherButton(stringResource(R.string.join_stop), onStop)
    }
}

/** Which server a link leads to: what stands between its beginning and the code. */
private fun serverOf(link: String): String = link.substringAfter("://").substringAfter('/').substringBefore('/')

/** A link pasted into either field is an invitation by itself. */
private fun typedInvitation(
    address: String,
    code: String,
): String =
    listOf(address, code).map { it.trim() }.firstOrNull { it.startsWith("sotay:") }
        ?: "${address.trim()} ${code.trim()}"
