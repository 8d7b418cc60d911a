package vn.sotay.meetings

import vn.sotay.Changes
import vn.sotay.Live
import vn.sotay.PAGE
import vn.sotay.blocking
import vn.sotay.client.AnswersView
import vn.sotay.client.Handbook
import vn.sotay.client.MarkCorrection
import vn.sotay.client.MeetingPage
import vn.sotay.client.MeetingView
import vn.sotay.client.NoticeForm
import vn.sotay.client.Query
import vn.sotay.client.RollCallView
import vn.sotay.model.AbsenceReason
import vn.sotay.model.AttendanceMark
import vn.sotay.model.Channel
import vn.sotay.model.Choice
import vn.sotay.model.MeetingKey
import vn.sotay.model.MemberId
import vn.sotay.model.OrganisationId
import vn.sotay.model.ParticipationMode
import vn.sotay.model.Version

/** Notices, answers, absences, roll call. A refused call changes nothing; one that returns is durable, and sent when it can be. */
class Meetings internal constructor(
    private val engine: Handbook,
    private val changes: Changes,
) {
    // ---- What the screens show

    /** A page of the meetings behind [after]: those to come, the next one first, then past ones, the latest first. */
    fun list(
        after: MeetingKey? = null,
        limit: Int = PAGE,
    ): Live<MeetingPage> = changes.live(Query.Meetings) { engine.meetings(after, limit.toUInt()) }

    /** The meeting screen. */
    fun meeting(meeting: MeetingKey): Live<MeetingView> =
        changes.live(Query.Meeting(meeting)) { engine.meeting(meeting) }

    /** Who answered what: for the office. */
    fun answers(meeting: MeetingKey): Live<AnswersView> =
        changes.live(Query.Answers(meeting)) { engine.answers(meeting) }

    /** The roll call of the own organisation. */
    fun rollCall(meeting: MeetingKey): Live<RollCallView> =
        changes.live(Query.RollCall(meeting)) { engine.rollCall(meeting) }

    // ---- The notice

    /** The form for a new notice: copied from the meeting [from] and moved to the next month, or empty. */
    suspend fun newNoticeForm(from: MeetingKey? = null): NoticeForm = blocking { engine.newNoticeForm(from) }

    /** The form for a change of this notice. */
    suspend fun noticeForm(meeting: MeetingKey): NoticeForm = blocking { engine.noticeForm(meeting) }

    /** Announces a meeting of the own cell, or of several cells jointly: [with] names the others. */
    suspend fun publishNotice(
        form: NoticeForm,
        with: List<OrganisationId> = emptyList(),
    ): MeetingKey = blocking { engine.publishNotice(form, with) }

    /** Changes the notice that the [form] was filled from as version [base]. An [urgent] change asks for the answers again. */
    suspend fun changeNotice(
        meeting: MeetingKey,
        base: Version,
        form: NoticeForm,
        urgent: Boolean = false,
    ) = blocking { engine.changeNotice(meeting, base, form, urgent) }

    /** Cancels the meeting; the [reason] is read by everyone. */
    suspend fun cancelMeeting(
        meeting: MeetingKey,
        reason: String,
    ) = blocking { engine.cancelMeeting(meeting, reason) }

    /** "I know this version of the notice." */
    suspend fun acknowledgeNotice(
        meeting: MeetingKey,
        noticeVersion: UInt,
    ) = blocking { engine.acknowledgeNotice(meeting, noticeVersion) }

    /** "I told this member", for those without the handbook or out of its reach. */
    suspend fun markInformed(
        meeting: MeetingKey,
        member: MemberId,
        channel: Channel,
        noticeVersion: UInt,
    ) = blocking { engine.markInformed(meeting, member, channel, noticeVersion) }

    // ---- Answers and absences

    /** Answers a notice. After the deadline it is kept and shown as late. */
    suspend fun respond(
        meeting: MeetingKey,
        choice: Choice,
        noticeVersion: UInt,
    ) = blocking { engine.respond(meeting, choice, noticeVersion) }

    /** Enters another member's answer on that member's word. The own later answer wins. */
    suspend fun respondOnBehalf(
        meeting: MeetingKey,
        member: MemberId,
        choice: Choice,
        channel: Channel,
        noticeVersion: UInt,
    ) = blocking { engine.respondOnBehalf(meeting, member, choice, channel, noticeVersion) }

    /** Asks to be excused, or reports an absence on the way: accepted until the roll call is confirmed. */
    suspend fun requestAbsence(
        meeting: MeetingKey,
        reason: AbsenceReason,
        note: String? = null,
    ) = blocking { engine.requestAbsence(meeting, reason, note) }

    /** Enters another member's request on that member's word. */
    suspend fun requestAbsenceOnBehalf(
        meeting: MeetingKey,
        member: MemberId,
        reason: AbsenceReason,
        note: String?,
        channel: Channel,
    ) = blocking { engine.requestAbsenceOnBehalf(meeting, member, reason, note, channel) }

    /** Takes the own request back. */
    suspend fun withdrawAbsence(meeting: MeetingKey) = blocking { engine.withdrawAbsence(meeting) }

    /** Decides on another member's request. */
    suspend fun decideAbsence(
        meeting: MeetingKey,
        member: MemberId,
        granted: Boolean,
        answer: String? = null,
    ) = blocking { engine.decideAbsence(meeting, member, granted, answer) }

    // ---- Roll call and confirmation

    /** Opens the roll call: from now on it is fixed who is convened with which status. */
    suspend fun openRollCall(
        meeting: MeetingKey,
        chair: MemberId,
        minuteTaker: MemberId? = null,
    ) = blocking { engine.openRollCall(meeting, chair, minuteTaker) }

    /** Asks another official member to take the chair. */
    suspend fun delegateChair(
        meeting: MeetingKey,
        member: MemberId,
    ) = blocking { engine.delegateChair(meeting, member) }

    /** Takes the chair, secretary and deputy being out of reach. */
    suspend fun assumeChair(
        meeting: MeetingKey,
        reason: String,
    ) = blocking { engine.assumeChair(meeting, reason) }

    /** Agrees to an assumed chair. */
    suspend fun ratifyChair(meeting: MeetingKey) = blocking { engine.ratifyChair(meeting) }

    /** Marks a member; [AttendanceMark.Unmarked] takes the own mark back. [voted] matters for exempt members only. */
    suspend fun markAttendance(
        meeting: MeetingKey,
        member: MemberId,
        mark: AttendanceMark,
        mode: ParticipationMode = ParticipationMode.InRoom,
        voted: Boolean = false,
    ) = blocking { engine.markAttendance(meeting, member, mark, mode, voted) }

    /** Decides between differing marks of one member. */
    suspend fun resolveMarks(
        meeting: MeetingKey,
        member: MemberId,
        mark: AttendanceMark,
    ) = blocking { engine.resolveMarks(meeting, member, mark) }

    /** Confirms the roll call as it was [seen] on the screen. */
    suspend fun confirmRollCall(
        meeting: MeetingKey,
        seen: ByteArray,
    ) = blocking { engine.confirmRollCall(meeting, seen) }

    /** Proposes a correction of the confirmed version [from]; it takes effect when two have confirmed it. */
    suspend fun correctRollCall(
        meeting: MeetingKey,
        from: UInt,
        changes: List<MarkCorrection>,
        reason: String,
    ) = blocking { engine.correctRollCall(meeting, from, changes, reason) }

    /** Objects to the own line of a confirmed roll call. */
    suspend fun objectToMark(
        meeting: MeetingKey,
        text: String,
    ) = blocking { engine.objectToMark(meeting, text) }
}
