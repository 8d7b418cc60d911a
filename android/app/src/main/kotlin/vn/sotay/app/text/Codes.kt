package vn.sotay.app.text

import android.content.res.Resources
import vn.sotay.app.R
import vn.sotay.model.AbsenceReason
import vn.sotay.model.AbsenceState
import vn.sotay.model.AttendanceMark
import vn.sotay.model.Channel
import vn.sotay.model.Choice
import vn.sotay.model.ConfidentialityLevel
import vn.sotay.model.DocumentKind
import vn.sotay.model.MarkSource
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import vn.sotay.model.MemberStatus
import vn.sotay.model.ProfileField
import vn.sotay.model.Role
import vn.sotay.model.StepReason

// What codes are called on the screen. A code of a newer version is shown with its number, so that it can be asked about.

fun Resources.name(code: AbsenceReason): String =
    when (code) {
        is AbsenceReason.Health -> getString(R.string.reason_health)
        is AbsenceReason.Family -> getString(R.string.reason_family)
        is AbsenceReason.Work -> getString(R.string.reason_work)
        is AbsenceReason.Away -> getString(R.string.reason_away)
        is AbsenceReason.Other -> getString(R.string.reason_other)
        is AbsenceReason.Unknown -> unknown(code.code)
    }

fun Resources.name(code: AbsenceState): String =
    when (code) {
        is AbsenceState.Waiting -> getString(R.string.absence_waiting)
        is AbsenceState.Granted -> getString(R.string.absence_granted)
        is AbsenceState.Refused -> getString(R.string.absence_refused)
        is AbsenceState.Withdrawn -> getString(R.string.absence_withdrawn)
        is AbsenceState.Unknown -> unknown(code.code)
    }

fun Resources.name(code: AttendanceMark): String =
    when (code) {
        is AttendanceMark.Unmarked -> getString(R.string.mark_unmarked)
        is AttendanceMark.Present -> getString(R.string.mark_present)
        is AttendanceMark.Late -> getString(R.string.mark_late)
        is AttendanceMark.LeftEarly -> getString(R.string.mark_left_early)
        is AttendanceMark.AbsentExcused -> getString(R.string.mark_absent_excused)
        is AttendanceMark.AbsentUnexcused -> getString(R.string.mark_absent_unexcused)
        is AttendanceMark.Unknown -> unknown(code.code)
    }

fun Resources.name(code: Channel): String =
    when (code) {
        is Channel.Handbook -> getString(R.string.channel_handbook)
        is Channel.PhoneCall -> getString(R.string.channel_phone)
        is Channel.InPerson -> getString(R.string.channel_in_person)
        is Channel.Message -> getString(R.string.channel_message)
        is Channel.ThroughOthers -> getString(R.string.channel_others)
        is Channel.Unknown -> unknown(code.code)
    }

fun Resources.name(code: Choice): String =
    when (code) {
        is Choice.WillAttend -> getString(R.string.choice_will_attend)
        is Choice.WillAttendOnline -> getString(R.string.choice_will_attend_online)
        is Choice.Undecided -> getString(R.string.choice_undecided)
        is Choice.Unknown -> unknown(code.code)
    }

fun Resources.name(code: ConfidentialityLevel): String =
    when (code) {
        is ConfidentialityLevel.Public -> getString(R.string.level_public)
        is ConfidentialityLevel.Internal -> getString(R.string.level_internal)
        is ConfidentialityLevel.Restricted -> getString(R.string.level_restricted)
        is ConfidentialityLevel.StateSecret -> getString(R.string.level_state_secret)
        is ConfidentialityLevel.Unknown -> unknown(code.code)
    }

fun Resources.name(code: DocumentKind): String =
    when (code) {
        is DocumentKind.Resolution -> getString(R.string.document_kind_resolution)
        is DocumentKind.Draft -> getString(R.string.document_kind_draft)
        is DocumentKind.Directive -> getString(R.string.document_kind_directive)
        is DocumentKind.Conclusion -> getString(R.string.document_kind_conclusion)
        is DocumentKind.Bulletin -> getString(R.string.document_kind_bulletin)
        is DocumentKind.Other -> getString(R.string.document_kind_other)
        is DocumentKind.Unknown -> unknown(code.code)
    }

fun Resources.name(code: MarkSource): String =
    when (code) {
        is MarkSource.Recorder -> getString(R.string.source_recorder)
        is MarkSource.Secretary -> getString(R.string.source_secretary)
        is MarkSource.Deputy -> getString(R.string.source_deputy)
        is MarkSource.Assistant -> getString(R.string.source_assistant)
        is MarkSource.OwnSelf -> getString(R.string.source_self)
        is MarkSource.Unknown -> unknown(code.code)
    }

fun Resources.name(code: MeetingKind): String =
    when (code) {
        is MeetingKind.Regular -> getString(R.string.kind_regular)
        is MeetingKind.Thematic -> getString(R.string.kind_thematic)
        is MeetingKind.Extraordinary -> getString(R.string.kind_extraordinary)
        is MeetingKind.Committee -> getString(R.string.kind_committee)
        is MeetingKind.MembersConference -> getString(R.string.kind_conference)
        is MeetingKind.Congress -> getString(R.string.kind_congress)
        is MeetingKind.Unknown -> unknown(code.code)
    }

fun Resources.name(code: MeetingMode): String =
    when (code) {
        is MeetingMode.InRoom -> getString(R.string.mode_in_room)
        is MeetingMode.Online -> getString(R.string.mode_online)
        is MeetingMode.Mixed -> getString(R.string.mode_mixed)
        is MeetingMode.Unknown -> unknown(code.code)
    }

fun Resources.name(code: MemberStatus): String =
    when (code) {
        is MemberStatus.Official -> getString(R.string.status_official)
        is MemberStatus.Probationary -> getString(R.string.status_probationary)
        is MemberStatus.Exempt -> getString(R.string.status_exempt)
        is MemberStatus.Suspended -> getString(R.string.status_suspended)
        is MemberStatus.Transferred -> getString(R.string.status_transferred)
        is MemberStatus.Removed -> getString(R.string.status_removed)
        is MemberStatus.Expelled -> getString(R.string.status_expelled)
        is MemberStatus.Candidate -> getString(R.string.status_candidate)
        is MemberStatus.TemporaryIn -> getString(R.string.status_temporary_in)
        is MemberStatus.TemporaryOut -> getString(R.string.status_temporary_out)
        is MemberStatus.Guest -> getString(R.string.status_guest)
        is MemberStatus.Unknown -> unknown(code.code)
    }

fun Resources.name(code: ProfileField): String =
    when (code) {
        is ProfileField.Name -> getString(R.string.field_name)
        is ProfileField.Born -> getString(R.string.field_born)
        is ProfileField.AdmittedOn -> getString(R.string.field_admitted)
        is ProfileField.OfficialOn -> getString(R.string.field_official)
        is ProfileField.CardNumber -> getString(R.string.field_card)
        is ProfileField.Cell -> getString(R.string.field_cell)
        is ProfileField.Other -> getString(R.string.field_other)
        is ProfileField.Unknown -> unknown(code.code)
    }

fun Resources.name(code: Role): String =
    when (code) {
        is Role.Secretary -> getString(R.string.role_secretary)
        is Role.DeputySecretary -> getString(R.string.role_deputy)
        is Role.CommitteeMember -> getString(R.string.role_committee)
        is Role.CellFollower -> getString(R.string.role_follower)
        is Role.Assistant -> getString(R.string.role_assistant)
        is Role.EnrolmentHelper -> getString(R.string.role_enrolment)
        is Role.Unknown -> unknown(code.code)
    }

fun Resources.name(code: StepReason): String =
    when (code) {
        is StepReason.OfficialConvened -> getString(R.string.step_official)
        is StepReason.ProbationaryConvened -> getString(R.string.step_probationary)
        is StepReason.TemporaryElsewhere -> getString(R.string.step_elsewhere)
        is StepReason.ExemptNotVoting -> getString(R.string.step_exempt)
        is StepReason.Suspended -> getString(R.string.step_suspended)
        is StepReason.AbsentExcused -> getString(R.string.step_excused)
        is StepReason.TemporaryIn -> getString(R.string.step_temporary_in)
        is StepReason.PresentInRoom -> getString(R.string.step_in_room)
        is StepReason.PresentOnline -> getString(R.string.step_online)
        is StepReason.Unknown -> unknown(code.code)
    }

private fun Resources.unknown(code: UInt) = getString(R.string.code_unknown, code.toInt())
