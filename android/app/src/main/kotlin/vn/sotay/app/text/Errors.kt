package vn.sotay.app.text

import android.content.res.Resources
import vn.sotay.app.R
import vn.sotay.client.HandbookException
import vn.sotay.client.ServerFault
import vn.sotay.model.Closing
import vn.sotay.model.Denial
import vn.sotay.model.Fault
import vn.sotay.model.Field
import vn.sotay.model.InvitationFault
import vn.sotay.model.Rejection
import vn.sotay.model.SecrecyMarking
import vn.sotay.model.Subject

/** What went wrong, as a sentence that says what the person can do. */
fun Resources.sentence(why: HandbookException): String =
    when (why) {
        is HandbookException.NotEnrolled -> getString(R.string.error_not_enrolled)
        is HandbookException.AlreadyEnrolled -> getString(R.string.error_already_enrolled)
        is HandbookException.InvitationUnreadable -> sentence(why.fault)
        is HandbookException.InvitationUnusable -> getString(R.string.error_invitation_unusable)
        is HandbookException.ServerUnreachable -> getString(R.string.error_unreachable, why.address)
        is HandbookException.ServerUnexpected -> sentence(why.fault, why.address)
        is HandbookException.PhoneNotKnown -> getString(R.string.error_phone_not_known)
        is HandbookException.NotApproved -> getString(R.string.error_not_approved)
        is HandbookException.DigitsMalformed -> getString(R.string.error_digits)
        is HandbookException.AppTooOld -> getString(R.string.error_app_too_old)
        is HandbookException.UpdateNeeded -> getString(R.string.error_update_needed, why.minimum)
        is HandbookException.Refused -> sentence(why.why)
        is HandbookException.NotHere -> getString(R.string.error_not_here)
        is HandbookException.NewerDatabase -> getString(R.string.error_newer_database)
        is HandbookException.DatabaseUnreadable -> getString(R.string.error_database_unreadable, why.unsent.toInt())
        is HandbookException.KeyLocked -> getString(R.string.error_key_locked)
        is HandbookException.KeyFailed -> getString(R.string.error_key_failed)
        is HandbookException.KeyLost -> getString(R.string.error_key_lost, why.unsent.toInt())
        is HandbookException.PinNeeded -> getString(R.string.error_pin_needed, why.triesLeft.toInt())
        is HandbookException.PinWrong -> getString(R.string.error_pin_wrong, why.triesLeft.toInt())
        is HandbookException.PinMalformed -> getString(R.string.error_pin_malformed)
        is HandbookException.WipedAfterTries -> getString(R.string.error_wiped_after_tries, why.unsent.toInt())
        is HandbookException.Unsent -> getString(R.string.error_unsent, why.count.toInt())
        is HandbookException.Revoked -> getString(R.string.error_revoked)
        is HandbookException.WrongKey -> getString(R.string.error_wrong_key)
        is HandbookException.StorageFull -> getString(R.string.error_storage_full)
        is HandbookException.OutboxFull -> getString(R.string.error_outbox_full, why.limit.toInt())
        is HandbookException.StorageFailed -> getString(R.string.error_storage_failed, why.code)
        is HandbookException.InUse -> getString(R.string.error_in_use)
        is HandbookException.Paused -> getString(R.string.error_paused)
        is HandbookException.Cancelled -> getString(R.string.error_cancelled)
        is HandbookException.Internal -> getString(R.string.error_internal, why.incident)
    }

private fun Resources.sentence(fault: InvitationFault): String =
    when (fault) {
        is InvitationFault.NotAnInvitation -> getString(R.string.error_invitation_not)
        is InvitationFault.Host -> getString(R.string.error_invitation_address)
        is InvitationFault.Length -> getString(R.string.error_invitation_length, fault.found.toInt())
        is InvitationFault.Symbol -> getString(R.string.error_invitation_symbol, fault.position.toInt())
        is InvitationFault.Mistyped -> getString(R.string.error_invitation_check)
    }

private fun Resources.sentence(
    fault: ServerFault,
    address: String,
): String =
    when (fault) {
        is ServerFault.Html -> getString(R.string.error_server_html)
        is ServerFault.Status -> getString(R.string.error_server_status, address, fault.code.toInt())
        is ServerFault.Truncated -> getString(R.string.error_server_cut, address)
        is ServerFault.Empty -> getString(R.string.error_server_empty, address)
        is ServerFault.Unreadable -> getString(R.string.error_server_unreadable, address)
        is ServerFault.TooLarge -> getString(R.string.error_server_large, address)
        is ServerFault.Untrusted -> getString(R.string.error_server_untrusted, address)
        is ServerFault.Protocol -> getString(R.string.error_server_protocol, address)
    }

/** Why an entry was refused, as a sentence that says what the person can do. */
fun Resources.sentence(why: Rejection): String =
    when (why) {
        is Rejection.NotAllowed -> {
            getString(words(why.why))
        }

        is Rejection.NotFound -> {
            getString(R.string.refused_not_found, getString(words(why.what)))
        }

        is Rejection.Stale -> {
            getString(R.string.refused_stale)
        }

        is Rejection.Closed -> {
            getString(words(why.what))
        }

        is Rejection.Invalid -> {
            getString(R.string.refused_invalid, getString(words(why.field)), getString(words(why.why)))
        }

        is Rejection.Secret -> {
            getString(R.string.refused_secret, getString(words(why.field)), getString(words(why.level)))
        }

        is Rejection.TooLarge -> {
            getString(R.string.refused_too_large, getString(words(why.field)), why.limit.toString())
        }

        is Rejection.DependsOn -> {
            getString(R.string.refused_depends, why.n.toString())
        }

        is Rejection.Conflict -> {
            getString(R.string.refused_conflict, why.count.toInt())
        }

        is Rejection.Unmarked -> {
            getString(R.string.refused_unmarked, why.count.toInt())
        }

        is Rejection.Expired -> {
            getString(R.string.refused_expired)
        }

        is Rejection.NumberReused -> {
            getString(R.string.refused_number)
        }

        is Rejection.AlreadyExists -> {
            getString(R.string.refused_exists)
        }

        is Rejection.Removed -> {
            getString(R.string.refused_removed, getString(words(why.field)))
        }
    }

private fun words(code: Denial): Int =
    when (code) {
        is Denial.OfficeNeeded -> R.string.refused_office
        is Denial.OwnAbsence -> R.string.refused_own_absence
        is Denial.ChairNeeded -> R.string.refused_chair
        is Denial.NotConvened -> R.string.refused_not_convened
        is Denial.OfficialMemberNeeded -> R.string.refused_official
        is Denial.NotAConfirmer -> R.string.refused_confirmer
        is Denial.SecondPersonNeeded -> R.string.refused_second_person
        is Denial.NotOwnLine -> R.string.refused_own_line
        is Denial.OperatorNeeded -> R.string.refused_operator
        is Denial.NotAMember -> R.string.refused_not_member
        is Denial.AssistantNeverDecides -> R.string.refused_assistant
        is Denial.Unknown -> R.string.refused_denied_other
    }

private fun words(code: Subject): Int =
    when (code) {
        is Subject.Organisation -> R.string.subject_organisation
        is Subject.Member -> R.string.subject_member
        is Subject.Meeting -> R.string.subject_meeting
        is Subject.AbsenceRequest -> R.string.subject_absence
        is Subject.RollCall -> R.string.subject_roll_call
        is Subject.AttendanceLine -> R.string.subject_line
        is Subject.Phone -> R.string.subject_phone
        is Subject.Document -> R.string.subject_document
        is Subject.Appointment -> R.string.subject_appointment
        is Subject.Unknown -> R.string.subject_other
    }

private fun words(code: Closing): Int =
    when (code) {
        is Closing.MeetingCancelled -> R.string.refused_closed_cancelled
        is Closing.MeetingOpened -> R.string.refused_closed_opened
        is Closing.RollCallConfirmed -> R.string.refused_closed_confirmed
        is Closing.AbsenceDecided -> R.string.refused_closed_decided
        is Closing.ObjectionPeriod -> R.string.refused_closed_objection
        is Closing.Membership -> R.string.refused_closed_membership
        is Closing.Unknown -> R.string.refused_closed_other
    }

private fun words(code: Field): Int =
    when (code) {
        is Field.Title -> R.string.form_title
        is Field.Place -> R.string.form_place
        is Field.Agenda -> R.string.form_agenda
        is Field.StartsAt -> R.string.form_starts
        is Field.EndsAt -> R.string.form_ends
        is Field.AnswerBy -> R.string.form_answer_by
        is Field.Reason -> R.string.form_reason
        is Field.Note -> R.string.form_note
        is Field.Name -> R.string.form_name
        is Field.Phone -> R.string.form_phone
        is Field.DocumentNumber -> R.string.form_document_number
        is Field.Issuer -> R.string.form_issuer
        is Field.Sections -> R.string.form_sections
        is Field.SectionNumber -> R.string.form_section_number
        is Field.Heading -> R.string.form_heading
        is Field.Text -> R.string.form_text
        is Field.ConfidentialityLevel -> R.string.form_level
        is Field.Period -> R.string.form_period
        is Field.Parent -> R.string.form_parent
        is Field.Status -> R.string.form_status
        is Field.Choice -> R.string.form_choice
        is Field.Participants -> R.string.form_participants
        is Field.Guests -> R.string.form_guests
        is Field.Documents -> R.string.form_documents
        is Field.Mark -> R.string.form_mark
        is Field.Mutation -> R.string.form_entry
        is Field.CardNumber -> R.string.form_card
        is Field.Changes -> R.string.form_changes
        is Field.NoticeVersion -> R.string.form_version
        is Field.Attachments -> R.string.form_attachments
        is Field.Unknown -> R.string.form_other
    }

private fun words(code: Fault): Int =
    when (code) {
        is Fault.Empty -> R.string.fault_empty
        is Fault.EndBeforeStart -> R.string.fault_end_before_start
        is Fault.ControlCharacter -> R.string.fault_control
        is Fault.DirectionOverride -> R.string.fault_direction
        is Fault.UnknownValue -> R.string.fault_unknown_value
        is Fault.OutOfOrder -> R.string.fault_order
        is Fault.Repeated -> R.string.fault_repeated
        is Fault.AfterStart -> R.string.fault_after_start
        is Fault.NotKeptHere -> R.string.fault_not_kept
        is Fault.Malformed -> R.string.fault_malformed
        is Fault.Loop -> R.string.fault_loop
        is Fault.NoChange -> R.string.fault_no_change
        is Fault.Unknown -> R.string.fault_other
    }

private fun words(code: SecrecyMarking): Int =
    when (code) {
        is SecrecyMarking.Restricted -> R.string.marking_restricted
        is SecrecyMarking.Secret -> R.string.marking_secret
        is SecrecyMarking.TopSecret -> R.string.marking_top
        is SecrecyMarking.UtmostSecret -> R.string.marking_utmost
        is SecrecyMarking.Unknown -> R.string.marking_other
    }
