package vn.sotay.app

import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.view.WindowManager
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import vn.sotay.app.design.SotayTheme

/** The one activity: gives the screens what only an activity has. */
class MainActivity : ComponentActivity() {
    private val handbooks get() = (application as SotayApplication).handbooks
    private var invitation by mutableStateOf<String?>(null)

    override fun onCreate(savedInstanceState: Bundle?) {
        enableEdgeToEdge()
        super.onCreate(savedInstanceState)
        // The overview of the apps that are open shows no page of it.
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) setRecentsScreenshotEnabled(false)
        if (savedInstanceState == null) invitation = intent.invitation()
        setContent {
            SotayTheme {
                App(
                    handbooks,
                    invitation,
                    onInvitationUsed = { invitation = null },
                    remember { Platform(::dial, ::hideFromScreenshots, handbooks::leave, ::approve) },
                )
            }
        }
    }

    override fun onStart() {
        super.onStart()
        handbooks.inSight()
    }

    override fun onStop() {
        handbooks.outOfSight()
        super.onStop()
    }

    public override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        invitation = intent.invitation()
    }

    private fun Intent.invitation(): String? = dataString?.takeIf { action == Intent.ACTION_VIEW }

    private suspend fun approve(challenge: ByteArray): ByteArray? =
        handbooks.chosen.value
            ?.signer
            ?.approve(this, challenge)

    private fun dial(phone: String) {
        val dialling = Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", phone, null))
        if (dialling.resolveActivity(packageManager) != null) startActivity(dialling)
    }

    private fun hideFromScreenshots(hide: Boolean) {
        if (hide) {
            window.addFlags(WindowManager.LayoutParams.FLAG_SECURE)
        } else {
            window.clearFlags(WindowManager.LayoutParams.FLAG_SECURE)
        }
    }
}
