package vn.sotay.app

import android.Manifest
import android.os.Build
import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.produceState
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.SaveableStateHolder
import androidx.compose.runtime.saveable.rememberSaveableStateHolder
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LocalLifecycleOwner
import androidx.lifecycle.repeatOnLifecycle
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import vn.sotay.MemberHandbook
import vn.sotay.app.background.SyncJob
import vn.sotay.app.design.HandbookTabs
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.join.JoinScreen
import vn.sotay.app.join.WaitingScreen
import vn.sotay.app.lock.EraseScreen
import vn.sotay.app.lock.GoneScreen
import vn.sotay.app.lock.LockScreen
import vn.sotay.app.shared.ChooserLine
import vn.sotay.app.shared.ChooserScreen
import vn.sotay.app.text.sentence
import vn.sotay.client.HandbookException
import vn.sotay.client.JoinedView
import vn.sotay.client.JoiningView
import kotlin.time.Duration.Companion.seconds

/** What only the activity can do for the screens. */
class Platform(
    val dial: (phone: String) -> Unit,
    val hideFromScreenshots: (Boolean) -> Unit,
    /** Asks whose handbook it is to be. */
    val leave: () -> Unit,
    /** Asks for a fresh unlock and signs; null where the person would not. */
    val approve: suspend (challenge: ByteArray) -> ByteArray?,
)

/** The whole app: whose handbook, opening, joining, then the four tabs. */
@Composable
fun App(
    handbooks: Handbooks,
    invitation: String?,
    onInvitationUsed: () -> Unit,
    platform: Platform,
) {
    val all by handbooks.all.collectAsState()
    val chosen by handbooks.chosen.collectAsState()
    // What stands on the screens, half-written texts too, is there again after the PIN.
    val screens = rememberSaveableStateHolder()
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        Box(Modifier.safeDrawingPadding()) {
            val kept = chosen
            if (kept == null) {
                Chooser(handbooks, all)
            } else {
                key(kept) {
                    Chosen(kept, invitation, onInvitationUsed, platform, all.size > 1, screens)
                }
            }
        }
    }
}

@Composable
private fun Chooser(
    handbooks: Handbooks,
    all: List<KeptHandbook>,
) = ChooserScreen(
    all.map { key(it) { line(it) } },
    { handbooks.choose(all[it]) },
    handbooks::add.takeIf { handbooks.hasRoom },
)

@Composable
private fun line(kept: KeptHandbook): ChooserLine {
    val opening by kept.opening.collectAsState()
    val owner by produceState<String?>(null, opening) {
        value =
            try {
                (opening as? Opening.Open)?.handbook?.joined()?.memberName
            } catch (_: HandbookException) {
                null
            }
    }
    val now = opening
    val name = owner
    return when {
        now is Opening.Open && name != null -> ChooserLine.Of(name)
        now is Opening.Failed && now.why is HandbookException.PinNeeded -> ChooserLine.Locked
        now is Opening.Failed && now.why is HandbookException.PinWrong -> ChooserLine.Locked
        else -> ChooserLine.Other
    }
}

@Composable
private fun Chosen(
    kept: KeptHandbook,
    invitation: String?,
    onInvitationUsed: () -> Unit,
    platform: Platform,
    several: Boolean,
    screens: SaveableStateHolder,
) {
    // Also while out of sight: what was locked meanwhile is not to be seen for a moment by who comes back.
    val opening by kept.opening.collectAsState()
    val leave = platform.leave.takeIf { several }
    when (val now = opening) {
        is Opening.Opens -> {
            Screen("") { Words(stringResource(R.string.loading)) }
        }

        is Opening.Open -> {
            screens.SaveableStateProvider(kept.folder.name) {
                EndsWith(kept, now.handbook)
                JoinedOrNot(kept, now.handbook, invitation, onInvitationUsed, platform, leave)
            }
        }

        is Opening.Failed -> {
            Leaving(leave) { Closed(kept, now.why, platform) { screens.removeState(kept.folder.name) } }
        }

        is Opening.Erased -> {
            val what =
                if (now.unsent == 0) {
                    stringResource(R.string.gone_erased_all_sent)
                } else {
                    stringResource(R.string.gone_erased, now.unsent)
                }
            Leaving(leave) { Gone(kept, what) { screens.removeState(kept.folder.name) } }
        }
    }
}

/** With a way to the other handbooks on this phone below it, where there are any. */
@Composable
private fun Leaving(
    onLeave: (() -> Unit)?,
    content: @Composable () -> Unit,
) = Column {
    Box(Modifier.weight(1f)) { content() }
    if (onLeave != null) {
        OtherButton(
            stringResource(R.string.chooser_other),
            onLeave,
            Modifier.padding(horizontal = 16.dp, vertical = 8.dp),
        )
    }
}

/** Why the handbook is not open, and the way on. */
@Composable
private fun Closed(
    kept: KeptHandbook,
    why: HandbookException,
    platform: Platform,
    onGone: () -> Unit,
) {
    val sentence = LocalContext.current.resources.sentence(why)
    when (why) {
        is HandbookException.PinNeeded, is HandbookException.PinWrong, is HandbookException.PinMalformed -> {
            Hidden(platform)
            LockScreen(why, kept::unlock, kept::erase)
        }

        is HandbookException.WipedAfterTries, is HandbookException.Revoked -> {
            Gone(kept, sentence, onGone)
        }

        is HandbookException.KeyLost, is HandbookException.WrongKey -> {
            var erases by remember { mutableStateOf(false) }
            if (erases) {
                EraseScreen(sentence, kept::erase) { erases = false }
            } else {
                ProblemScreen(why, onRetry = kept::open, onErase = { erases = true })
            }
        }

        else -> {
            ProblemScreen(why, onRetry = kept::open, onRebuild = kept::rebuild)
        }
    }
}

@Composable
private fun Gone(
    kept: KeptHandbook,
    what: String,
    onGone: () -> Unit,
) {
    LaunchedEffect(what) { onGone() }
    GoneScreen(what, kept::open)
}

/** While this is shown, no screenshot shows it. */
@Composable
internal fun Hidden(platform: Platform) =
    DisposableEffect(platform) {
        platform.hideFromScreenshots(true)
        onDispose { platform.hideFromScreenshots(false) }
    }

/** Says so when the organisation revokes this phone: whatever screen is shown then, its handbook is deleted already. */
@Composable
private fun EndsWith(
    kept: KeptHandbook,
    handbook: MemberHandbook,
) = LaunchedEffect(handbook) {
    try {
        handbook.joined()
        // It ends with the handbook.
        handbook.syncState().collect {}
        handbook.joined()
    } catch (why: HandbookException) {
        if (why is HandbookException.Revoked) kept.ended(handbook, why)
    }
}

@Composable
private fun JoinedOrNot(
    kept: KeptHandbook,
    handbook: MemberHandbook,
    invitation: String?,
    onInvitationUsed: () -> Unit,
    platform: Platform,
    leave: (() -> Unit)?,
) {
    var joinedHere by remember { mutableStateOf<JoinedView?>(null) }
    Reads({ flow { emit(handbook.joined()) } }, handbook) { before ->
        val joined = joinedHere ?: before
        if (joined == null) {
            Leaving(leave) {
                Join(handbook, invitation) {
                    joinedHere = it
                    onInvitationUsed()
                }
            }
        } else {
            SyncsWhileInSight(handbook)
            if (joinedHere != null) AsksToNotify()
            Tabbed(kept, handbook, joined, platform)
            if (invitation != null) AlreadyJoined(onInvitationUsed)
        }
    }
}

@Composable
private fun Join(
    handbook: MemberHandbook,
    invitation: String?,
    onJoined: (JoinedView) -> Unit,
) {
    val resources = LocalContext.current.resources
    val entries = rememberEntries()
    var joining by remember { mutableStateOf<JoiningView?>(null) }
    LaunchedEffect(handbook) { entries.quietly { joining = handbook.joining() } }
    val waiting = joining
    if (waiting == null) {
        JoinScreen(invitation, entries.busy, entries.problem?.let(resources::sentence)) { text ->
            entries.send { joining = handbook.join(text, Build.MODEL.orEmpty()) }
        }
    } else {
        LaunchedEffect(waiting) {
            try {
                onJoined(confirmed(handbook))
            } catch (why: HandbookException) {
                entries.problem = why
                joining = null
            }
        }
        WaitingScreen(waiting.digits, waiting.host) {
            entries.enter {
                handbook.stopJoining()
                joining = null
            }
        }
    }
}

/** Asks until an officer has confirmed the digits; a server that cannot be reached now is asked again. */
private suspend fun confirmed(handbook: MemberHandbook): JoinedView {
    while (true) {
        try {
            handbook.finishJoining()?.let { return it }
        } catch (_: HandbookException.ServerUnreachable) {
            // The digits stay where they are.
        } catch (_: HandbookException.ServerUnexpected) {
            // Nor does a network that wants something first change them.
        }
        delay(ASKS_EVERY)
    }
}

private val ASKS_EVERY = 2.seconds

@Composable
private fun AlreadyJoined(onClose: () -> Unit) {
    AlertDialog(
        onDismissRequest = onClose,
        text = { Words(stringResource(R.string.join_already)) },
        confirmButton = { MainButton(stringResource(R.string.close), onClose) },
    )
}

/** Syncs in the background while the app is in sight; an hourly job does it otherwise. */
@Composable
private fun SyncsWhileInSight(handbook: MemberHandbook) {
    val owner = LocalLifecycleOwner.current
    val context = LocalContext.current
    LaunchedEffect(handbook, owner) {
        SyncJob.schedule(context)
        owner.lifecycle.repeatOnLifecycle(Lifecycle.State.STARTED) {
            val sync =
                try {
                    handbook.startSync()
                } catch (_: HandbookException) {
                    // It is being locked, or it ended: another screen comes.
                    return@repeatOnLifecycle
                }
            try {
                awaitCancellation()
            } finally {
                withContext(NonCancellable + Dispatchers.IO) { sync.close() }
            }
        }
    }
}

/** Right after joining, when it is clear what for: may news be told while the app is out of sight? */
@Composable
private fun AsksToNotify() {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
    // Whatever the answer is, the app works; it can be changed in the phone's settings.
    val asking = rememberLauncherForActivityResult(ActivityResultContracts.RequestPermission()) {}
    LaunchedEffect(asking) { asking.launch(Manifest.permission.POST_NOTIFICATIONS) }
}

@Composable
private fun Tabbed(
    kept: KeptHandbook,
    handbook: MemberHandbook,
    joined: JoinedView,
    platform: Platform,
) {
    val places = Places.remembered()
    val entries = rememberEntries()
    BackHandler(places.canGoBack, places::back)
    if (places.here.screen.isPrivate) Hidden(platform)
    val problem = entries.problem
    // A wrong PIN was given for the tenth time, and the handbook is gone.
    LaunchedEffect(problem) { if (problem is HandbookException.WipedAfterTries) kept.ended(handbook, problem) }
    Column {
        Box(Modifier.weight(1f)) {
            Route(handbook, joined, places, entries, platform) { lost -> kept.left(handbook, lost) }
        }
        HandbookTabs(places.tab, places::openTab)
    }
    ProblemDialog(entries)
}
