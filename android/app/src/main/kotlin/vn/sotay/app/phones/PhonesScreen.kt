package vn.sotay.app.phones

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Field
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.text.dateTime
import vn.sotay.client.PersonName
import vn.sotay.client.PhoneView
import vn.sotay.model.InstallationId
import vn.sotay.model.MemberId

/** What can be done about phones; what is null this member or this phone cannot do. */
class PhonesActions(
    val rename: ((InstallationId, String) -> Unit)? = null,
    val remove: ((InstallationId) -> Unit)? = null,
    val openJoining: (() -> Unit)? = null,
    val openInvite: (() -> Unit)? = null,
    val openMembers: (() -> Unit)? = null,
)

/**
 * Điện thoại của tôi: the member's own phones; for officers also the way to other members' phones. [of] names whose they are where they
 * are not the own ones.
 */
@Composable
fun PhonesScreen(
    phones: List<PhoneView>,
    actions: PhonesActions,
    of: String? = null,
    back: () -> Unit,
) {
    // The phone whose name is being written, or which is about to be removed.
    var renaming by rememberSaveable { mutableStateOf<String?>(null) }
    var removing by rememberSaveable { mutableStateOf<String?>(null) }
    Screen(of ?: stringResource(R.string.phones_title), back = back) {
        Words(stringResource(if (of == null) R.string.phones_explained else R.string.phones_explained_of))
        if (phones.isEmpty()) Words(stringResource(R.string.phones_none))
        for (phone in phones) {
            Panel {
                About(phone)
                when (phone.installation) {
                    renaming -> {
                        Rename(phone, { renaming = null }) {
                            renaming = null
                            actions.rename?.invoke(phone.installation, it)
                        }
                    }

                    removing -> {
                        Words(stringResource(R.string.phones_remove_ask))
                        MainButton(
                            stringResource(R.string.phones_remove_yes),
                            {
                                removing = null
                                actions.remove?.invoke(phone.installation)
                            },
                        )
                        OtherButton(stringResource(R.string.cancel), { removing = null })
                    }

                    else -> {
                        if (actions.rename != null) {
                            OtherButton(
                                stringResource(R.string.phones_rename),
                                {
                                    renaming = phone.installation
                                    removing = null
                                },
                                spoken = stringResource(R.string.phones_rename_this, phone.name),
                            )
                        }
                        if (actions.remove != null && !phone.`this`) {
                            OtherButton(
                                stringResource(R.string.phones_remove),
                                {
                                    removing = phone.installation
                                    renaming = null
                                },
                                spoken = stringResource(R.string.phones_remove_this, phone.name),
                            )
                        }
                    }
                }
            }
        }
        if (actions.remove == null) Remark(stringResource(R.string.phones_lost))
        if (actions.openJoining != null) {
            Heading(stringResource(R.string.phones_of_members))
            MainButton(stringResource(R.string.joining_title), actions.openJoining)
        }
        if (actions.openInvite != null) OtherButton(stringResource(R.string.invite_title), actions.openInvite)
        if (actions.openMembers != null) OtherButton(stringResource(R.string.phones_members), actions.openMembers)
    }
}

/** Whose phone was lost? */
@Composable
fun MembersPhonesScreen(
    people: List<PersonName>,
    onOpen: (MemberId) -> Unit,
    back: () -> Unit,
) {
    Screen(stringResource(R.string.phones_members), back = back) {
        Words(stringResource(R.string.phones_whose))
        for (person in people) OtherButton(person.name, { onOpen(person.member) })
    }
}

@Composable
private fun About(phone: PhoneView) {
    val resources = LocalContext.current.resources
    Words(phone.name, style = MaterialTheme.typography.titleMedium)
    if (phone.`this`) Words(stringResource(R.string.phones_here))
    if (!phone.active) Words(stringResource(R.string.phones_waits))
    Remark(stringResource(R.string.phones_since, resources.dateTime(phone.since)))
}

@Composable
private fun Rename(
    phone: PhoneView,
    onCancel: () -> Unit,
    onRename: (String) -> Unit,
) {
    var name by rememberSaveable { mutableStateOf(phone.name) }
    Field(stringResource(R.string.phones_name), name, { name = it.take(MAX_NAME) })
    MainButton(stringResource(R.string.phones_save), { onRename(name.trim()) }, enabled = name.isNotBlank())
    OtherButton(stringResource(R.string.cancel), onCancel)
}

/** As many characters as the server keeps of a phone's name. */
private const val MAX_NAME = 80
