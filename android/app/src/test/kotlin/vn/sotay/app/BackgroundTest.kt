package vn.sotay.app

import android.app.NotificationManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import vn.sotay.app.background.News
import vn.sotay.app.background.makeChannels
import vn.sotay.app.background.newsBetween
import vn.sotay.app.samples.Samples

/** What is told while the app is out of sight. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = android.app.Application::class)
class BackgroundTest {
    @Test
    fun `only what was not there before is news`() {
        val quiet = Samples.home.copy(waiting = emptyList(), newDocuments = emptyList())
        assertEquals(emptySet<News>(), newsBetween(Samples.home, Samples.home))
        assertEquals(setOf(News.Meeting, News.Document), newsBetween(quiet, Samples.home))
        assertEquals(emptySet<News>(), newsBetween(Samples.home, quiet))
        // A change of the notice, for somebody who knew the meeting.
        assertEquals(setOf(News.Meeting), newsBetween(Samples.home, Samples.homeChanged))
    }

    @Test
    fun `there is a channel for each kind of news and no other`() {
        val application = RuntimeEnvironment.getApplication()
        makeChannels(application)
        val channels = checkNotNull(application.getSystemService(NotificationManager::class.java)).notificationChannels
        assertEquals(News.entries.map { it.channel }.toSet(), channels.map { it.id }.toSet())
    }
}
