package vn.sotay.app

import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flow
import vn.sotay.MemberHandbook
import vn.sotay.app.documents.DocumentScreen
import vn.sotay.app.documents.LibraryScreen
import vn.sotay.app.documents.ReaderScreen
import vn.sotay.app.documents.Speaker
import vn.sotay.app.home.HomeActions
import vn.sotay.app.home.HomeScreen
import vn.sotay.app.home.OutboxScreen
import vn.sotay.app.lock.PinActions
import vn.sotay.app.lock.PinScreen
import vn.sotay.app.meetings.AbsenceScreen
import vn.sotay.app.meetings.AnswersActions
import vn.sotay.app.meetings.AnswersScreen
import vn.sotay.app.meetings.MeetingActions
import vn.sotay.app.meetings.MeetingScreen
import vn.sotay.app.meetings.MeetingsScreen
import vn.sotay.app.meetings.NoticeScreen
import vn.sotay.app.meetings.RollCallActions
import vn.sotay.app.meetings.RollCallScreen
import vn.sotay.app.profile.CorrectionScreen
import vn.sotay.app.profile.ProfileActions
import vn.sotay.app.profile.ProfileScreen
import vn.sotay.client.HandbookException
import vn.sotay.client.JoinedView
import vn.sotay.client.MeetingView
import vn.sotay.client.PersonName
import vn.sotay.model.MeetingKey
import vn.sotay.model.MemberStatus

/** What a route needs to join a screen with the handbook. */
internal class Way(
    val handbook: MemberHandbook,
    val joined: JoinedView,
    val places: Places,
    val entries: Entries,
    val platform: Platform,
    /** The member signed out: so many unsent entries are lost. */
    val left: (Int) -> Unit,
) {
    fun open(
        screen: ScreenName,
        key: String? = null,
        position: Int = 0,
    ) = places.open(Place(screen, key, position))

    /** Enters what a form says, and leaves the form when that is kept. */
    fun send(entry: suspend () -> Unit) {
        val form = places.here
        entries.send({ places.leave(form) }, entry)
    }
}

/** Joins each screen with what it reads and what it leads to. */
@Composable
fun Route(
    handbook: MemberHandbook,
    joined: JoinedView,
    places: Places,
    entries: Entries,
    platform: Platform,
    onLeft: (Int) -> Unit,
) {
    val way = remember(handbook, joined, places, entries) { Way(handbook, joined, places, entries, platform, onLeft) }
    val place = places.here
    val key = place.key.orEmpty()
    when (place.screen) {
        ScreenName.Home -> {
            way.Home()
        }

        ScreenName.Meetings -> {
            Reads({ handbook.meetings.list() }, place) { page ->
                MeetingsScreen(page) { way.open(ScreenName.Meeting, it) }
            }
        }

        ScreenName.Library -> {
            Reads({ handbook.documents.library() }, place) { view ->
                LibraryScreen(
                    view,
                    { way.open(ScreenName.Document, it) },
                    { way.open(ScreenName.Reader, it.document, it.order.toInt()) },
                )
            }
        }

        ScreenName.Profile -> {
            way.Profile()
        }

        ScreenName.Meeting -> {
            way.Meeting(key)
        }

        ScreenName.Absence -> {
            Reads({ handbook.meetings.meeting(key) }, place, back = places::back) { view ->
                AbsenceScreen(
                    view,
                    { reason, note -> way.send { handbook.meetings.requestAbsence(key, reason, note) } },
                    places::back,
                )
            }
        }

        ScreenName.Answers -> {
            way.Answers(key)
        }

        ScreenName.RollCall -> {
            way.RollCall(key)
        }

        ScreenName.NewNotice -> {
            way.NewNotice(place)
        }

        ScreenName.ChangeNotice -> {
            way.ChangeNotice(place)
        }

        ScreenName.Document -> {
            Reads({ handbook.documents.document(key) }, place, back = places::back) { view ->
                DocumentScreen(view, { way.open(ScreenName.Reader, key, it) }, places::back)
            }
        }

        ScreenName.Reader -> {
            way.Reader(place)
        }

        ScreenName.Correction -> {
            CorrectionScreen(
                { field, text -> way.send { handbook.profile.requestCorrection(field, text) } },
                places::back,
            )
        }

        ScreenName.Phones -> {
            way.Phones()
        }

        ScreenName.JoiningPhones -> {
            way.JoiningPhones()
        }

        ScreenName.Invite -> {
            way.Invite()
        }

        ScreenName.MembersPhones -> {
            way.MembersPhones()
        }

        ScreenName.PhonesOf -> {
            way.PhonesOf(key)
        }

        ScreenName.Pin -> {
            way.Pin()
        }

        ScreenName.TakeAlong -> {
            way.TakeAlong()
        }

        ScreenName.SignOut -> {
            way.SignOut()
        }

        ScreenName.Outbox -> {
            Reads({ handbook.home.outbox() }, place, back = places::back) { view ->
                OutboxScreen(
                    view,
                    { entries.enter { handbook.home.sendAgain(it) } },
                    { entries.enter { handbook.home.discardRefused(it) } },
                    places::back,
                )
            }
        }
    }
}

@Composable
private fun Way.Home() {
    val meetings = handbook.meetings
    val actions =
        HomeActions(
            acknowledge = { meeting, version -> entries.enter { meetings.acknowledgeNotice(meeting, version) } },
            respond = { card, choice ->
                entries.enter { meetings.respond(card.meeting, choice, card.noticeVersion) }
            },
            askAbsence = { open(ScreenName.Absence, it) },
            openMeeting = { open(ScreenName.Meeting, it) },
            openAnswers = { open(ScreenName.Answers, it) },
            openRollCall = { open(ScreenName.RollCall, it) },
            openDocument = { open(ScreenName.Document, it) },
            openOutbox = { open(ScreenName.Outbox) },
            newNotice = { open(ScreenName.NewNotice, it) },
            call = platform.dial,
        )
    Reads({ handbook.home.view() }) { HomeScreen(it, actions) }
}

@Composable
private fun Way.Profile() {
    Reads({ handbook.profile.view() }) { view ->
        val actions =
            ProfileActions(
                report = { open(ScreenName.Correction) },
                openOutbox = { open(ScreenName.Outbox) },
                openPhones = { open(ScreenName.Phones) },
                openPin = { open(ScreenName.Pin) },
                openTakeAlong = { open(ScreenName.TakeAlong) },
                openSignOut = { open(ScreenName.SignOut) },
                leave = platform.leave,
            )
        ProfileScreen(view, actions)
    }
}

@Composable
private fun Way.Pin() {
    val resources = LocalContext.current.resources
    var told by remember { mutableStateOf<Int?>(null) }

    fun enter(
        done: Int,
        entry: suspend () -> Unit,
    ) {
        told = null
        entries.send({ told = done }, entry)
    }
    val actions =
        PinActions(
            set = { new -> enter(R.string.pin_told_set) { handbook.setPin(new) } },
            change = { pin, new -> enter(R.string.pin_told_changed) { handbook.changePin(pin, new) } },
            remove = { pin -> enter(R.string.pin_told_removed) { handbook.removePin(pin) } },
        )
    // Read anew once something was done.
    Reads({ flow { emit(handbook.hasPin()) } }, told, back = places::back) { isSet ->
        PinScreen(isSet, told?.let(resources::getString), entries.busy, actions, places::back)
    }
}

@Composable
private fun Way.Meeting(meeting: MeetingKey) {
    val meetings = handbook.meetings

    fun actions(view: MeetingView) =
        MeetingActions(
            acknowledge = { entries.enter { meetings.acknowledgeNotice(meeting, it) } },
            respond = { entries.enter { meetings.respond(meeting, it, view.noticeVersion) } },
            askAbsence = { open(ScreenName.Absence, meeting) },
            withdrawAbsence = { entries.enter { meetings.withdrawAbsence(meeting) } },
            openDocument = { open(ScreenName.Document, it) },
            openAnswers = { open(ScreenName.Answers, meeting) },
            openRollCall = { open(ScreenName.RollCall, meeting) },
            edit = { open(ScreenName.ChangeNotice, meeting) },
            cancel = { entries.enter { meetings.cancelMeeting(meeting, it) } },
        )
    Reads({ meetings.meeting(meeting) }, meeting, back = places::back) { view ->
        MeetingScreen(view, actions(view), places::back)
    }
}

@Composable
private fun Way.Answers(meeting: MeetingKey) {
    val meetings = handbook.meetings
    Reads({ meetings.answers(meeting) }, meeting, back = places::back) { view ->
        val version = view.noticeVersion
        val actions =
            AnswersActions(
                decide = { member, granted -> entries.enter { meetings.decideAbsence(meeting, member, granted) } },
                informed = { member, how -> entries.enter { meetings.markInformed(meeting, member, how, version) } },
                respondOnBehalf = { member, choice, how ->
                    entries.enter { meetings.respondOnBehalf(meeting, member, choice, how, version) }
                },
                openRollCall = { open(ScreenName.RollCall, meeting) },
                call = platform.dial,
            )
        AnswersScreen(view, actions, places::back)
    }
}

@Composable
private fun Way.RollCall(meeting: MeetingKey) {
    val meetings = handbook.meetings
    val actions =
        remember(meeting) {
            RollCallActions(
                open = { chair, minuteTaker -> entries.enter { meetings.openRollCall(meeting, chair, minuteTaker) } },
                mark = { member, mark, mode, voted ->
                    entries.enter { meetings.markAttendance(meeting, member, mark, mode, voted) }
                },
                resolve = { member, mark -> entries.enter { meetings.resolveMarks(meeting, member, mark) } },
                ratify = { entries.enter { meetings.ratifyChair(meeting) } },
                confirm = { entries.enter { meetings.confirmRollCall(meeting, it) } },
            )
        }
    Reads(
        { combine(meetings.rollCall(meeting), flow { emit(mayChair(meeting)) }, ::Pair) },
        meeting,
        back = places::back,
    ) { (view, people) ->
        RollCallScreen(view, joined.member, people, actions, places::back)
    }
}

/** Who can be chosen before the opening: the official members, as far as this phone may know them. */
private suspend fun Way.mayChair(meeting: MeetingKey): List<PersonName> =
    try {
        handbook.meetings
            .answers(meeting)
            .read()
            .lines
            .filter { it.status is MemberStatus.Official }
            .map { PersonName(it.member, it.name) }
    } catch (_: HandbookException.Refused) {
        // Whoever only takes the chair does not see the answers.
        listOf(PersonName(joined.member, joined.memberName))
    }

@Composable
private fun Way.NewNotice(place: Place) {
    val form = { flow { emit(handbook.meetings.newNoticeForm(place.key)) } }
    // The form is read once: what is typed in it must not vanish when a document arrives.
    Reads(
        {
            combine(
                form(),
                flow {
                    emit(
                        handbook.documents
                            .library()
                            .read()
                            .documents,
                    )
                },
                ::Pair,
            )
        },
        place,
        back = places::back,
    ) { (filled, documents) ->
        NoticeScreen(filled, false, documents, { it, _ -> send { handbook.meetings.publishNotice(it) } }, places::back)
    }
}

@Composable
private fun Way.ChangeNotice(place: Place) {
    val meetings = handbook.meetings
    val meeting = place.key.orEmpty()
    val form = { flow { emit(meetings.meeting(meeting).read().base to meetings.noticeForm(meeting)) } }
    Reads(
        {
            combine(
                form(),
                flow {
                    emit(
                        handbook.documents
                            .library()
                            .read()
                            .documents,
                    )
                },
                ::Pair,
            )
        },
        place,
        back = places::back,
    ) { (filled, documents) ->
        val (base, notice) = filled
        NoticeScreen(
            notice,
            true,
            documents,
            { it, urgent -> send { meetings.changeNotice(meeting, base, it, urgent) } },
            places::back,
        )
    }
}

@Composable
private fun Way.Reader(place: Place) {
    val documents = handbook.documents
    val document = place.key.orEmpty()
    val context = LocalContext.current
    val speaker = remember { Speaker(context) }
    DisposableEffect(speaker) { onDispose(speaker::close) }
    val speaking by speaker.speaking.collectAsStateWithLifecycle()
    Reads(
        { combine(documents.document(document), documents.sections(document), ::Pair) },
        place,
        back = places::back,
    ) { (view, page) ->
        ReaderScreen(
            view.card.title,
            page,
            place.position,
            speaking,
            { from -> speaker.toggle(page.sections.drop(from).map { "${it.number}. ${it.heading}. ${it.text}" }) },
            { order -> entries.quietly { documents.setReadingPlace(document, order) } },
            places::back,
        )
    }
}
