package vn.sotay

import com.fasterxml.jackson.databind.JsonNode
import vn.sotay.client.DocumentForm
import vn.sotay.client.MarkCorrection
import vn.sotay.client.NoticeForm
import vn.sotay.client.SectionForm
import vn.sotay.model.AbsenceReason
import vn.sotay.model.AttendanceMark
import vn.sotay.model.Channel
import vn.sotay.model.Choice
import vn.sotay.model.ConfidentialityLevel
import vn.sotay.model.DocumentKind
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import vn.sotay.model.ParticipationMode
import vn.sotay.model.ProfileField
import java.time.Instant
import java.time.LocalDate
import kotlin.test.fail

/** The words of scenarios on one phone: commands and screens. */
class PhoneWords(
    private val name: String,
    private val phone: Phone,
    private val server: ScenarioServer,
    private val names: Map<String, String>,
) {
    private val handbook get() = phone.handbook
    private val meetings get() = phone.handbook.meetings

    /** Carries a command out; some give a key. */
    suspend fun command(
        word: String,
        of: String?,
        with: JsonNode,
    ): String? {
        when (word) {
            "join" -> {
                phone.join(server, with.text("invitation") ?: names.getValue("invitation.$name"), name)
            }

            "sync" -> {
                handbook.sync()
            }

            "restart" -> {
                phone.restart()
            }

            "publish_notice" -> {
                return meetings.publishNotice(with.notice(newNotice), with.texts("with") ?: emptyList())
            }

            "publish_document" -> {
                return handbook.documents.publish(with.document())
            }

            "set_reading_place" -> {
                handbook.documents.setReadingPlace(of.key(), with["order"].asInt())
            }

            "request_correction" -> {
                handbook.profile.requestCorrection(code<ProfileField>(with["field"]), with["text"].asText())
            }

            "discard_refused" -> {
                handbook.home.discardRefused(firstRefused())
            }

            "send_again" -> {
                handbook.home.sendAgain(firstRefused())
            }

            else -> {
                onMeeting(word, of.key(), with)
            }
        }
        return null
    }

    private suspend fun onMeeting(
        word: String,
        meeting: String,
        with: JsonNode,
    ) {
        val member = with.text("member").orEmpty()
        val reason = with.text("reason").orEmpty()
        when (word) {
            "change_notice" -> {
                meetings.changeNotice(
                    meeting,
                    meetings.meeting(meeting).read().base,
                    with.notice(meetings.noticeForm(meeting)),
                    with["urgent"]?.asBoolean() ?: false,
                )
            }

            "cancel_meeting" -> {
                meetings.cancelMeeting(meeting, reason)
            }

            "acknowledge_notice" -> {
                meetings.acknowledgeNotice(meeting, version(meeting, with))
            }

            "mark_informed" -> {
                meetings.markInformed(meeting, member, code<Channel>(with["channel"]), version(meeting, with))
            }

            "respond" -> {
                meetings.respond(meeting, code<Choice>(with["choice"]), version(meeting, with))
            }

            "respond_on_behalf" -> {
                val (choice, channel) = code<Choice>(with["choice"]) to code<Channel>(with["channel"])
                meetings.respondOnBehalf(meeting, member, choice, channel, version(meeting, with))
            }

            "request_absence" -> {
                meetings.requestAbsence(meeting, code<AbsenceReason>(with["reason"]), with.text("note"))
            }

            "request_absence_on_behalf" -> {
                val (why, channel) = code<AbsenceReason>(with["reason"]) to code<Channel>(with["channel"])
                meetings.requestAbsenceOnBehalf(meeting, member, why, with.text("note"), channel)
            }

            "withdraw_absence" -> {
                meetings.withdrawAbsence(meeting)
            }

            "decide_absence" -> {
                meetings.decideAbsence(meeting, member, with["granted"].asBoolean(), with.text("answer"))
            }

            "open_roll_call" -> {
                meetings.openRollCall(meeting, with["chair"].asText(), with.text("minute_taker"))
            }

            "delegate_chair" -> {
                meetings.delegateChair(meeting, member)
            }

            "assume_chair" -> {
                meetings.assumeChair(meeting, reason)
            }

            "ratify_chair" -> {
                meetings.ratifyChair(meeting)
            }

            "mark_attendance" -> {
                val voted = with["voted"]?.asBoolean() ?: false
                meetings.markAttendance(meeting, member, code<AttendanceMark>(with["mark"]), with.mode(), voted)
            }

            "resolve_marks" -> {
                meetings.resolveMarks(meeting, member, code<AttendanceMark>(with["mark"]))
            }

            "confirm_roll_call" -> {
                meetings.confirmRollCall(meeting, meetings.rollCall(meeting).read().seen)
            }

            "correct_roll_call" -> {
                meetings.correctRollCall(meeting, with["from"].asInt().toUInt(), with.changes(), reason)
            }

            "object_to_mark" -> {
                meetings.objectToMark(meeting, with["text"].asText())
            }

            else -> {
                fail("unknown command $word")
            }
        }
    }

    /** What a screen shows now. */
    suspend fun screen(
        word: String,
        of: String?,
    ): Any =
        when (word) {
            "home" -> handbook.home.view().read()
            "outbox" -> handbook.home.outbox().read()
            "meetings" -> meetings.list().read()
            "meeting" -> meetings.meeting(of.key()).read()
            "notice_form" -> meetings.noticeForm(of.key())
            "answers" -> meetings.answers(of.key()).read()
            "roll_call" -> meetings.rollCall(of.key()).read()
            "library" -> handbook.documents.library().read()
            "document" -> handbook.documents.document(of.key()).read()
            "sections" -> handbook.documents.sections(of.key()).read()
            "profile" -> handbook.profile.view().read()
            else -> fail("unknown screen $word")
        }

    private suspend fun firstRefused() =
        handbook.home
            .outbox()
            .read()
            .refused
            .first()
            .n

    private suspend fun version(
        meeting: String,
        with: JsonNode,
    ): UInt = with["notice_version"]?.asInt()?.toUInt() ?: meetings.meeting(meeting).read().noticeVersion
}

private val newNotice =
    NoticeForm(
        kind = MeetingKind.Regular,
        title = "",
        startsAt = Instant.EPOCH,
        endsAt = Instant.EPOCH,
        place = "Nhà văn hóa",
        mode = MeetingMode.InRoom,
        agenda = emptyList(),
        documents = emptyList(),
        guests = emptyList(),
        answerBy = null,
        absenceBy = null,
    )

private fun String?.key() = this ?: fail("of is missing")

private fun JsonNode.text(field: String): String? = this[field]?.takeUnless { it.isNull }?.asText()

private fun JsonNode.texts(field: String): List<String>? = this[field]?.map { it.asText() }

private fun JsonNode.instant(field: String): Instant? =
    this[field]?.takeUnless { it.isNull }?.let { Instant.ofEpochMilli(it.asLong()) }

private fun JsonNode.mode(): ParticipationMode = this["mode"]?.let { code(it) } ?: ParticipationMode.InRoom

/** The code of this name: an object nested in its sealed class. */
private inline fun <reified T> code(name: JsonNode): T =
    Class.forName("${T::class.java.name}$${name.asText()}").getField("INSTANCE").get(null) as T

private fun JsonNode.notice(form: NoticeForm) =
    NoticeForm(
        kind = this["kind"]?.let { code(it) } ?: form.kind,
        title = text("title") ?: form.title,
        startsAt = instant("starts_at") ?: form.startsAt,
        endsAt = instant("ends_at") ?: form.endsAt,
        place = text("place") ?: form.place,
        mode = this["mode"]?.let { code(it) } ?: form.mode,
        agenda = texts("agenda") ?: form.agenda,
        documents = texts("documents") ?: form.documents,
        guests = texts("guests") ?: form.guests,
        answerBy = if (has("answer_by")) instant("answer_by") else form.answerBy,
        absenceBy = if (has("absence_by")) instant("absence_by") else form.absenceBy,
    )

private fun JsonNode.document() =
    DocumentForm(
        title = text("title").orEmpty(),
        number = text("number"),
        issuer = text("issuer") ?: "Chi ủy",
        kind = this["kind"]?.let { code(it) } ?: DocumentKind.Draft,
        level = this["level"]?.let { code(it) } ?: ConfidentialityLevel.Internal,
        issuedOn = LocalDate.parse(text("issued_on") ?: "2026-11-01"),
        forMeeting = text("for_meeting"),
        sections =
            this["sections"]?.map { SectionForm(it["number"].asText(), it["heading"].asText(), it["text"].asText()) }
                ?: emptyList(),
    )

private fun JsonNode.changes() =
    this["changes"].map { MarkCorrection(it["member"].asText(), code<AttendanceMark>(it["mark"]), it.mode()) }
