package vn.sotay.app

import androidx.compose.runtime.Composable
import androidx.compose.runtime.mutableStateListOf
import androidx.compose.runtime.saveable.listSaver
import androidx.compose.runtime.saveable.rememberSaveable

/** The screens. The first four are the tabs, in their order. */
enum class ScreenName {
    Home,
    Meetings,
    Library,
    Profile,
    Meeting,
    Absence,
    Answers,
    RollCall,
    NewNotice,
    ChangeNotice,
    Document,
    Reader,
    Correction,
    Outbox,
    Phones,
    JoiningPhones,
    Invite,
    MembersPhones,
    PhonesOf,
    Pin,
    TakeAlong,
    SignOut,
    ;

    /** Shows what no screenshot is to show: who somebody is in the register, phones, digits and codes. */
    val isPrivate: Boolean
        get() =
            when (this) {
                Profile, Correction, Phones, JoiningPhones, Invite, MembersPhones, PhonesOf, Pin, TakeAlong -> true
                else -> false
            }
}

/** A screen, what it is about, and where in it to begin. */
data class Place(
    val screen: ScreenName,
    val key: String? = null,
    val position: Int = 0,
)

/** The way back: a tab at the bottom, and what was opened from it. Survives the process. */
class Places(
    begin: List<Place> = listOf(Place(ScreenName.Home)),
) {
    private val stack = mutableStateListOf<Place>().apply { addAll(begin) }

    val here: Place get() = stack.last()

    val tab: Int get() = stack.first().screen.ordinal

    val canGoBack: Boolean get() = stack.size > 1 || here.screen != ScreenName.Home

    fun open(place: Place) {
        stack.add(place)
    }

    fun openTab(tab: Int) {
        stack.clear()
        stack.add(Place(ScreenName.entries[tab]))
    }

    fun back() {
        if (stack.size > 1) stack.removeAt(stack.lastIndex) else openTab(0)
    }

    /** After a form was sent: back to what it was opened from, unless the reader has gone elsewhere meanwhile. */
    fun leave(form: Place) {
        if (here == form) back()
    }

    companion object {
        private val saver =
            listSaver<Places, String>(
                save = { places ->
                    places.stack.flatMap { listOf(it.screen.name, it.key.orEmpty(), it.position.toString()) }
                },
                restore = { saved ->
                    Places(
                        saved.chunked(3) { (screen, key, position) ->
                            Place(ScreenName.valueOf(screen), key.ifEmpty { null }, position.toInt())
                        },
                    )
                },
            )

        @Composable
        fun remembered(): Places = rememberSaveable(saver = saver) { Places() }
    }
}
