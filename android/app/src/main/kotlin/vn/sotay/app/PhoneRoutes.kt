package vn.sotay.app

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import vn.sotay.MemberHandbook
import vn.sotay.app.phones.InvitationScreen
import vn.sotay.app.phones.InviteScreen
import vn.sotay.app.phones.JoiningPhonesScreen
import vn.sotay.app.phones.MembersPhonesScreen
import vn.sotay.app.phones.PhonesActions
import vn.sotay.app.phones.PhonesScreen
import vn.sotay.client.Confirmation
import vn.sotay.client.HandbookException
import vn.sotay.client.InvitationView
import vn.sotay.client.JoiningPhoneView
import vn.sotay.model.InstallationId
import vn.sotay.model.MemberId
import vn.sotay.model.Role
import kotlin.time.Duration.Companion.seconds

// What the screens about phones read and do. The server decides all of it, so none of it is read from the phone.

private const val INVITATION_DAYS = 7
private val ASKS_EVERY = 2.seconds

@Composable
internal fun Way.Phones() {
    // Counts what was changed here: the list is then asked for anew.
    var changed by remember { mutableIntStateOf(0) }
    Reads(
        { flow { emit(handbook.phones.list() to roles()) } },
        changed,
        back = places::back,
    ) { (phones, roles) ->
        val leads = roles.any { it is Role.Secretary || it is Role.DeputySecretary }
        val confirms = leads || roles.any { it is Role.EnrolmentHelper }
        val actions =
            PhonesActions(
                rename = { phone, name -> entries.enter({ changed++ }) { handbook.phones.rename(phone, name) } },
                remove = { phone -> entries.enter({ changed++ }) { remove(phone) } },
                openJoining = { open(ScreenName.JoiningPhones) }.takeIf { confirms },
                openInvite = { open(ScreenName.Invite) }.takeIf { leads },
                openMembers = { open(ScreenName.MembersPhones) }.takeIf { leads },
            )
        PhonesScreen(phones, actions, back = places::back)
    }
}

@Composable
internal fun Way.MembersPhones() =
    Reads({ flow { emit(handbook.phones.invitable()) } }, back = places::back) { people ->
        MembersPhonesScreen(people, { open(ScreenName.PhonesOf, it) }, places::back)
    }

/** Another member's phones: the secretary revokes the lost one. */
@Composable
internal fun Way.PhonesOf(member: MemberId) {
    var changed by remember { mutableIntStateOf(0) }
    Reads(
        { flow { emit(handbook.phones.of(member) to handbook.phones.invitable()) } },
        changed,
        back = places::back,
    ) { (phones, people) ->
        val actions = PhonesActions(remove = { phone -> entries.enter({ changed++ }) { remove(phone) } })
        PhonesScreen(phones, actions, people.firstOrNull { it.member == member }?.name.orEmpty(), places::back)
    }
}

/** Revokes a phone once its owner has unlocked this one; who would not has changed nothing. */
private suspend fun Way.remove(phone: InstallationId) =
    handbook.phones.beginRevoking(phone).use { act -> platform.approve(act.challenge)?.let { act.finish(it) } }

private suspend fun Way.roles(): List<Role> =
    handbook.profile
        .view()
        .read()
        .offices
        .map { it.role }

@Composable
internal fun Way.JoiningPhones() {
    val resources = LocalContext.current.resources
    var told by remember { mutableStateOf<String?>(null) }

    fun answer(
        phone: JoiningPhoneView,
        entry: suspend () -> Int,
    ) = entries.enter { told = resources.getString(entry(), phone.memberName) }
    Reads({ waitingPhones(handbook) }, back = places::back) { waiting ->
        JoiningPhonesScreen(
            waiting,
            told,
            { phone ->
                answer(phone) {
                    when (handbook.phones.confirm(phone.installation, phone.digits)) {
                        is Confirmation.Confirmed -> R.string.joining_confirmed
                        is Confirmation.WrongDigits -> R.string.joining_changed
                    }
                }
            },
            { phone ->
                answer(phone) {
                    handbook.phones.refuse(phone.installation)
                    R.string.joining_refused
                }
            },
            places::back,
        )
    }
}

/** Asks again and again which phones wait. Once they are shown, a server that cannot be reached now changes nothing. */
private fun waitingPhones(handbook: MemberHandbook): Flow<List<JoiningPhoneView>> =
    flow {
        var shown = false
        while (true) {
            try {
                emit(handbook.phones.joining())
                shown = true
            } catch (why: HandbookException.ServerUnreachable) {
                if (!shown) throw why
            }
            delay(ASKS_EVERY)
        }
    }

@Composable
internal fun Way.Invite() {
    // Kept in memory only: whoever leaves the screen has seen the code for the last time.
    var made by remember { mutableStateOf<Pair<String, InvitationView>?>(null) }
    val shown = made
    if (shown != null) {
        InvitationScreen(shown.first, shown.second, places::back)
    } else {
        Reads({ flow { emit(handbook.phones.invitable()) } }, back = places::back) { people ->
            InviteScreen(
                people,
                entries.busy,
                { member ->
                    entries.send {
                        made =
                            people.first { it.member == member }.name to handbook.phones.invite(member, INVITATION_DAYS)
                    }
                },
                places::back,
            )
        }
    }
}
