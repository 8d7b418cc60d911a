package vn.sotay.app.profile

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.pluralStringResource
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.Labelled
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.app.text.plainDay
import vn.sotay.client.ProfileView
import java.time.LocalDate

/** What the profile leads to. */
class ProfileActions(
    val report: () -> Unit = {},
    val openOutbox: () -> Unit = {},
    val openPhones: () -> Unit = {},
    val openPin: () -> Unit = {},
    val openTakeAlong: () -> Unit = {},
    val openSignOut: () -> Unit = {},
    val leave: () -> Unit = {},
)

/** Của tôi: the profile and the card, read only. The card's number shows on demand, and hides again when the screen is left. */
@Composable
fun ProfileScreen(
    view: ProfileView,
    actions: ProfileActions,
) {
    val resources = LocalContext.current.resources
    Screen(stringResource(R.string.profile_title)) {
        Panel {
            Words(view.name, style = MaterialTheme.typography.titleLarge)
            Labelled(stringResource(R.string.profile_cell), view.organisations.joinToString("\n"))
            Labelled(stringResource(R.string.profile_status), resources.name(view.status))
            val year = view.bornYear
            if (view.born == null && year != null) {
                Labelled(stringResource(R.string.profile_born_year), year.toString())
            } else {
                Day(R.string.profile_born, view.born)
            }
            Day(R.string.profile_admitted, view.admittedOn)
            Day(R.string.profile_official, view.officialOn)
            val age = view.partyAge?.toInt()
            Labelled(
                stringResource(R.string.profile_party_age),
                if (age == null) unknown() else pluralStringResource(R.plurals.profile_years, age, age),
            )
        }
        Card(view)
        if (view.offices.isNotEmpty()) {
            Heading(stringResource(R.string.profile_offices))
            for (office in view.offices) {
                Words(stringResource(R.string.profile_office, resources.name(office.role), office.organisation))
            }
        }
        Remark(stringResource(R.string.profile_register_hint))
        OtherButton(stringResource(R.string.profile_wrong), actions.report)
        if (view.corrections.isNotEmpty()) {
            Heading(stringResource(R.string.profile_corrections))
            for (correction in view.corrections) {
                Panel {
                    Words(
                        stringResource(R.string.profile_correction, resources.name(correction.field), correction.text),
                    )
                    if (correction.pending) Remark(stringResource(R.string.waiting_to_be_sent))
                }
            }
        }
        OtherButton(stringResource(R.string.outbox_title), actions.openOutbox)
        OtherButton(stringResource(R.string.phones_title), actions.openPhones)
        OtherButton(stringResource(R.string.pin_title), actions.openPin)
        OtherButton(stringResource(R.string.take_along_title), actions.openTakeAlong)
        OtherButton(stringResource(R.string.chooser_other), actions.leave)
        OtherButton(stringResource(R.string.erase_do), actions.openSignOut)
        Heading(stringResource(R.string.profile_about))
        Words(stringResource(R.string.official_app_notice))
    }
}

@Composable
private fun unknown() = stringResource(R.string.profile_unknown)

@Composable
private fun Day(
    label: Int,
    day: LocalDate?,
) {
    val resources = LocalContext.current.resources
    Labelled(stringResource(label), if (day == null) unknown() else resources.plainDay(day))
}

@Composable
private fun Card(view: ProfileView) {
    var shown by remember { mutableStateOf(false) }
    val number = view.cardNumber
    Heading(stringResource(R.string.profile_card))
    Panel {
        Labelled(
            stringResource(R.string.profile_card_number),
            when {
                number == null -> unknown()
                shown -> number
                else -> stringResource(R.string.profile_card_hidden)
            },
        )
        if (number != null) {
            OtherButton(stringResource(if (shown) R.string.profile_hide else R.string.profile_show), { shown = !shown })
        }
        Day(R.string.profile_card_issued, view.cardIssuedOn)
        Labelled(stringResource(R.string.profile_card_issued_by), view.cardIssuedBy ?: unknown())
    }
}
