package vn.sotay.app.phones

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.widthIn
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Heading
import vn.sotay.app.design.Labelled
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.design.spelled
import vn.sotay.app.text.dateTime
import vn.sotay.client.InvitationView
import vn.sotay.client.PersonName
import vn.sotay.client.QrView
import vn.sotay.model.MemberId

/** Mời đảng viên: who is invited. */
@Composable
fun InviteScreen(
    people: List<PersonName>,
    working: Boolean,
    onInvite: (MemberId) -> Unit,
    back: () -> Unit,
) {
    var chosen by rememberSaveable { mutableStateOf<String?>(null) }
    Screen(stringResource(R.string.invite_title), back = back) {
        Words(stringResource(R.string.invite_explained))
        Heading(stringResource(R.string.invite_whom))
        Choices(people, people.firstOrNull { it.member == chosen }, { it.name }) { chosen = it.member }
        MainButton(
            stringResource(if (working) R.string.join_working else R.string.invite_make),
            { chosen?.let(onInvite) },
            enabled = !working && chosen != null,
        )
    }
}

/** The invitation: a square code to scan, the same to type, and until when. It is shown here once and kept nowhere. */
@Composable
fun InvitationScreen(
    name: String,
    invitation: InvitationView,
    back: () -> Unit,
) {
    val resources = LocalContext.current.resources
    Screen(name, back = back) {
        Words(stringResource(R.string.invite_scan))
        SquareCode(invitation.qr)
        Panel {
            Labelled(stringResource(R.string.join_address), invitation.host)
            Words(stringResource(R.string.join_code), style = MaterialTheme.typography.bodyMedium)
            Text(
                invitation.code,
                Modifier.semantics { contentDescription = spelled(invitation.code) },
                style = MaterialTheme.typography.headlineMedium,
            )
            Labelled(stringResource(R.string.invite_until), resources.dateTime(invitation.until))
        }
        Remark(stringResource(R.string.invite_once))
        MainButton(stringResource(R.string.close), back)
    }
}

/** How many light modules stand around a code. */
private const val MARGIN = 4

/** Dark on light whatever the phone's colours are: cameras read nothing else surely. */
@Composable
private fun SquareCode(code: QrView) {
    val spoken = stringResource(R.string.invite_code_spoken)
    Canvas(
        Modifier
            .fillMaxWidth()
            .widthIn(max = 360.dp)
            .heightIn(max = 360.dp)
            .aspectRatio(1f)
            .semantics { contentDescription = spoken },
    ) {
        drawRect(Color.White)
        val side = size.minDimension / (code.size.toInt() + 2 * MARGIN)
        code.rows.forEachIndexed { y, row ->
            row.forEachIndexed { x, dark ->
                if (dark) drawRect(Color.Black, Offset((x + MARGIN) * side, (y + MARGIN) * side), Size(side, side))
            }
        }
    }
}
