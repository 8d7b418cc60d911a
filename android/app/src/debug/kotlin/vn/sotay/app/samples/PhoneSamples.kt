package vn.sotay.app.samples

import vn.sotay.app.phones.PhonesActions
import vn.sotay.client.InvitationView
import vn.sotay.client.JoiningPhoneView
import vn.sotay.client.PhoneView
import vn.sotay.client.QrView
import java.time.Instant

/** Invented phones. */
object PhoneSamples {
    private val since = Instant.parse("2026-11-20T02:30:00Z")

    val phones =
        listOf(
            PhoneView("1", "SM-A057F", since, active = true, `this` = true),
            PhoneView("2", "Máy của con gái", since, active = true, `this` = false),
            PhoneView("3", "Redmi 12C", since, active = false, `this` = false),
        )

    val member = PhonesActions(rename = { _, _ -> })

    val officer =
        PhonesActions(rename = { _, _ -> }, remove = {}, openJoining = {}, openInvite = {}, openMembers = {})

    val joining = listOf(JoiningPhoneView("4", "4", "Lê Văn Ví Dụ", "Chi bộ Mẫu 1", "SM-A057F", "428197", since))

    // Dark and light as a code has them, and no code: nobody can scan it.
    val invitation =
        InvitationView(
            text = "sotay://join/sotay.xamau.example/ABCD-EFGH-JKMNP",
            code = "ABCD-EFGH-JKMNP",
            host = "sotay.xamau.example",
            qr = QrView(33u, List(33) { y -> List(33) { x -> (x * x + 3 * y * y + x * y) % 7 < 3 } }),
            until = Instant.parse("2026-11-30T02:30:00Z"),
        )
}
