package vn.sotay.app.samples

import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.HandbookTabs
import vn.sotay.app.documents.DocumentScreen
import vn.sotay.app.documents.LibraryScreen
import vn.sotay.app.documents.ReaderScreen
import vn.sotay.app.home.HomeActions
import vn.sotay.app.home.HomeScreen
import vn.sotay.app.home.OutboxScreen
import vn.sotay.app.join.JoinScreen
import vn.sotay.app.join.WaitingScreen
import vn.sotay.app.lock.EraseScreen
import vn.sotay.app.lock.GoneScreen
import vn.sotay.app.lock.LockScreen
import vn.sotay.app.lock.PinActions
import vn.sotay.app.lock.PinQuestion
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
import vn.sotay.app.phones.InvitationScreen
import vn.sotay.app.phones.InviteScreen
import vn.sotay.app.phones.JoiningPhonesScreen
import vn.sotay.app.phones.MembersPhonesScreen
import vn.sotay.app.phones.PhonesActions
import vn.sotay.app.phones.PhonesScreen
import vn.sotay.app.profile.CorrectionScreen
import vn.sotay.app.profile.ProfileActions
import vn.sotay.app.profile.ProfileScreen
import vn.sotay.app.profile.SignOutScreen
import vn.sotay.app.profile.TakeAlongScreen
import vn.sotay.app.shared.ChooserLine
import vn.sotay.app.shared.ChooserScreen
import vn.sotay.client.HandbookException

/** Every screen on invented views, by name: for previews, pictures and checks that hold for all. */
enum class Gallery(
    private val tab: Int?,
    private val screen: @Composable () -> Unit,
) {
    Join(null, { JoinScreen(null, false, null) {} }),
    JoinScanned(null, { JoinScreen("sotay://join/sotay.xamau.example/ABCD", false, null) {} }),
    JoinRefused(null, { JoinScreen(null, false, stringResource(R.string.error_invitation_unusable)) {} }),
    Home(0, { HomeScreen(Samples.home, HomeActions()) }),
    HomeChanged(0, { HomeScreen(Samples.homeChanged, HomeActions()) }),
    HomeSecretary(0, { HomeScreen(Samples.homeSecretary, HomeActions()) }),
    Outbox(3, { OutboxScreen(Samples.outbox, {}, {}, {}) }),
    Meetings(1, { MeetingsScreen(Samples.meetings) {} }),
    Meeting(1, { MeetingScreen(Samples.meeting, MeetingActions()) {} }),
    MeetingExcused(1, { MeetingScreen(Samples.meetingExcused, MeetingActions()) {} }),
    MeetingSecretary(1, { MeetingScreen(Samples.meetingSecretary, MeetingActions()) {} }),
    MeetingCancelled(1, { MeetingScreen(Samples.meetingCancelled, MeetingActions()) {} }),
    Absence(1, { AbsenceScreen(Samples.meeting, { _, _ -> }) {} }),
    Notice(1, { NoticeScreen(Samples.notice, false, Samples.documents, { _, _ -> }) {} }),
    NoticeChange(1, { NoticeScreen(Samples.notice, true, Samples.documents, { _, _ -> }) {} }),
    Answers(1, { AnswersScreen(Samples.answers, AnswersActions()) {} }),
    RollCallOpening(1, { RollCallScreen(Samples.rollCallNotOpen, "4", Samples.people, RollCallActions()) {} }),
    RollCall(1, { RollCallScreen(Samples.rollCall, "4", Samples.people, RollCallActions()) {} }),
    Library(2, { LibraryScreen(Samples.library, {}, {}) }),
    Document(2, { DocumentScreen(Samples.document, {}) {} }),
    Reader(2, { ReaderScreen(Samples.document.card.title, Samples.sections, 0, false, {}, {}) {} }),
    Profile(3, { ProfileScreen(Samples.profile, ProfileActions()) }),
    JoinWaiting(null, { WaitingScreen("428197", "sotay.xamau.example") {} }),
    Phones(3, { PhonesScreen(PhoneSamples.phones, PhoneSamples.member) {} }),
    PhonesSecretary(3, { PhonesScreen(PhoneSamples.phones, PhoneSamples.officer) {} }),
    MembersPhones(3, { MembersPhonesScreen(Samples.people, {}) {} }),
    PhonesOf(3, { PhonesScreen(PhoneSamples.phones.drop(1), PhonesActions(remove = {}), "Lê Văn Ví Dụ") {} }),
    JoiningPhones(3, { JoiningPhonesScreen(PhoneSamples.joining, null, {}, {}) {} }),
    Invite(3, { InviteScreen(Samples.people, false, {}) {} }),
    Invitation(3, { InvitationScreen("Lê Văn Ví Dụ", PhoneSamples.invitation) {} }),
    Lock(null, { LockScreen(HandbookException.PinNeeded(10u), {}, {}) }),
    LockWrong(null, { LockScreen(HandbookException.PinWrong(3u), {}, {}) }),
    LockForgotten(null, { EraseScreen(stringResource(R.string.lock_forgotten_explained), {}) {} }),
    LockGone(null, { GoneScreen(stringResource(R.string.error_wiped_after_tries, 1)) {} }),
    Chooser(null, { ChooserScreen(listOf(ChooserLine.Of("Lê Văn Ví Dụ"), ChooserLine.Locked), {}) {} }),
    Pin(3, { PinScreen(false, null, false, PinActions()) {} }),
    PinSet(3, { PinScreen(true, stringResource(R.string.pin_told_set), false, PinActions()) {} }),
    PinQuestion(3, { PinQuestion(R.string.pin_new, R.string.pin_next, R.string.pin_differed, {}) {} }),
    TakeAlong(3, { TakeAlongScreen(false, true, {}) {} }),
    SignOut(3, { SignOutScreen(null, false, {}) {} }),
    SignOutUnsent(3, { SignOutScreen(2, false, {}) {} }),
    Correction(3, { CorrectionScreen({ _, _ -> }) {} }),
    ;

    /** The screen as it stands in the app, with the tabs below it. */
    @Composable
    fun Show() {
        Column {
            Box(Modifier.weight(1f)) { screen() }
            if (tab != null) HandbookTabs(tab) {}
        }
    }
}
