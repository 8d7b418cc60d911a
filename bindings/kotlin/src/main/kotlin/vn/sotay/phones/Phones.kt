package vn.sotay.phones

import vn.sotay.blocking
import vn.sotay.client.ActDone
import vn.sotay.client.Confirmation
import vn.sotay.client.Handbook
import vn.sotay.client.HandbookException
import vn.sotay.client.InvitationView
import vn.sotay.client.JoiningPhoneView
import vn.sotay.client.PersonName
import vn.sotay.client.PhoneView
import vn.sotay.client.PrivilegedAct
import vn.sotay.client.TaskForm
import vn.sotay.model.InstallationId
import vn.sotay.model.MemberId

/**
 * The own phones, and what an officer does about other members' phones.
 *
 * The server decides all of it at once, so all of it needs the network: nothing here waits to be sent, and a call that failed has
 * changed nothing that it says it changed.
 */
class Phones internal constructor(
    private val engine: Handbook,
) {
    /** The member's own phones. */
    suspend fun list(): List<PhoneView> = blocking { engine.phones() }

    /** Another member's phones, for who may revoke them. */
    suspend fun of(member: MemberId): List<PhoneView> = blocking { engine.phonesOf(member) }

    /** Gives one of the own phones another name. */
    suspend fun rename(
        phone: InstallationId,
        name: String,
    ) = blocking { engine.renamePhone(phone, name) }

    /** Whom this member may invite: the members of the own cell, by name, for its secretary and deputy. Needs no network. */
    suspend fun invitable(): List<PersonName> = blocking { engine.invitable() }

    /** Invites a member to one more phone, for 1 to 14 [days]. The code is made on this phone, shown once and kept nowhere. */
    suspend fun invite(
        member: MemberId,
        days: Int,
    ): InvitationView = blocking { engine.invite(member, days.coerceAtLeast(0).toUInt()) }

    /** The phones that wait for a confirmation which this member may give. */
    suspend fun joining(): List<JoiningPhoneView> = blocking { engine.joiningPhones() }

    /**
     * Confirms a phone by the six [digits] that the member reads out from it. [HandbookException.DigitsMalformed] where they are not
     * six digits: then no try was used.
     */
    suspend fun confirm(
        phone: InstallationId,
        digits: String,
    ): Confirmation = blocking { engine.confirmPhone(phone, digits) }

    /** Voids a claim whose digits differ: whoever claimed the invitation is not the member. */
    suspend fun refuse(phone: InstallationId) = blocking { engine.refusePhone(phone) }

    /** Begins to revoke a phone: it is wiped at its next contact, with everything on it that was not sent. */
    suspend fun beginRevoking(phone: InstallationId): BegunAct = blocking { BegunAct(engine.beginRevoking(phone)) }

    /** Begins to give a task in an organisation. */
    suspend fun beginGranting(task: TaskForm): BegunAct = blocking { BegunAct(engine.beginGranting(task)) }

    /** Begins to export what stands about a member in the own scope, and the phones. */
    suspend fun beginExporting(member: MemberId): BegunAct = blocking { BegunAct(engine.beginExporting(member)) }
}

/**
 * An act that waits for a fresh unlock, five minutes at most: the phone's key for privileged acts signs [challenge], and [finish]
 * carries it out. Closing it without that gives it up.
 */
class BegunAct internal constructor(
    private val act: PrivilegedAct,
) : AutoCloseable by act {
    /** What is signed, with SHA-256. */
    val challenge: ByteArray = act.challenge()

    /** Carries it out. [HandbookException.NotApproved] where [signature], in DER, is not that key's; an act that came too late is over. */
    suspend fun finish(signature: ByteArray): ActDone = blocking { act.finish(signature) }
}
