package vn.sotay.profile

import vn.sotay.Changes
import vn.sotay.Live
import vn.sotay.blocking
import vn.sotay.client.Handbook
import vn.sotay.client.ProfileView
import vn.sotay.client.Query
import vn.sotay.model.ProfileField

/** The own profile and card, read only. */
class Profile internal constructor(
    private val engine: Handbook,
    private val changes: Changes,
) {
    /** The profile and the card. */
    fun view(): Live<ProfileView> = changes.live(Query.Profile) { engine.profile() }

    /** Says that a line of the own profile is wrong; the office passes it to the register. */
    suspend fun requestCorrection(
        field: ProfileField,
        text: String,
    ) = blocking { engine.requestCorrection(field, text) }
}
