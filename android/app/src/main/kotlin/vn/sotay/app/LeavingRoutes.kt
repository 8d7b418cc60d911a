package vn.sotay.app

import android.net.Uri
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import vn.sotay.app.profile.SignOutScreen
import vn.sotay.app.profile.TakeAlongScreen
import vn.sotay.client.ActDone
import vn.sotay.client.HandbookException

// What a member takes along, and how a member leaves.

/** The file is held in memory only, until it lies where the member chose. */
@Composable
internal fun Way.TakeAlong() {
    val files = LocalContext.current.contentResolver
    val scope = rememberCoroutineScope()
    var json by remember { mutableStateOf<String?>(null) }
    var kept by remember { mutableStateOf(false) }
    val choosing =
        rememberLauncherForActivityResult(ActivityResultContracts.CreateDocument("application/json")) { place: Uri? ->
            val text = json
            json = null
            if (place != null && text != null) {
                scope.launch {
                    kept =
                        withContext(Dispatchers.IO) {
                            files.openOutputStream(place)?.use { it.write(text.toByteArray()) } != null
                        }
                }
            }
        }
    TakeAlongScreen(
        entries.busy,
        kept,
        {
            kept = false
            entries.send {
                handbook.phones.beginExporting(joined.member).use { act ->
                    val done = platform.approve(act.challenge)?.let { act.finish(it) }
                    if (done is ActDone.Export) {
                        json = done.json
                        choosing.launch("so-tay.json")
                    }
                }
            }
        },
        places::back,
    )
}

/** Signs out once the member knows what is lost by it. */
@Composable
internal fun Way.SignOut() {
    var unsent by remember { mutableStateOf<Int?>(null) }
    SignOutScreen(
        unsent,
        entries.busy,
        {
            entries.send {
                try {
                    left(handbook.signOut(loseUnsent = unsent != null))
                } catch (why: HandbookException.Unsent) {
                    unsent = why.count.toInt()
                }
            }
        },
        places::back,
    )
}
