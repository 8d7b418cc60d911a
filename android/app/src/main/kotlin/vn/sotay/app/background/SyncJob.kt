package vn.sotay.app.background

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import vn.sotay.MemberHandbook
import vn.sotay.app.KeptHandbook
import vn.sotay.app.Opening
import vn.sotay.app.SotayApplication
import vn.sotay.client.HandbookException
import vn.sotay.client.HomeView
import vn.sotay.client.WaitingItem
import vn.sotay.model.DocumentKey
import java.util.concurrent.TimeUnit

/** Once an hour, when there is a network: sends what waits, fetches what is new, and says that there is news. */
class SyncJob : JobService() {
    private var work: Job? = null

    override fun onStartJob(parameters: JobParameters): Boolean {
        val app = application as SotayApplication
        work =
            app.scope.launch {
                try {
                    run(app.handbooks.all.value).forEach { tell(app, it) }
                } finally {
                    jobFinished(parameters, false)
                }
            }
        return true
    }

    override fun onStopJob(parameters: JobParameters): Boolean {
        work?.cancel()
        return true
    }

    companion object {
        private const val ID = 1

        /** Asks for the job; a second time it does nothing. */
        fun schedule(context: Context) {
            val scheduler = context.getSystemService(JobScheduler::class.java) ?: return
            if (scheduler.getPendingJob(ID) != null) return
            scheduler.schedule(
                JobInfo
                    .Builder(ID, ComponentName(context, SyncJob::class.java))
                    .setPeriodic(TimeUnit.HOURS.toMillis(1))
                    .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                    .build(),
            )
        }

        /** Syncs those handbooks that are open, and says what is new since. One that its PIN locks is left alone. */
        suspend fun run(all: List<KeptHandbook>): Set<News> = all.flatMap { run(it) }.toSet()

        private suspend fun run(kept: KeptHandbook): Set<News> {
            kept.lockIfDue()
            val opening = kept.opening.first { it !is Opening.Opens }
            if (opening !is Opening.Open) return emptySet()
            return try {
                sync(opening.handbook)
            } catch (why: HandbookException) {
                if (why is HandbookException.Revoked) kept.ended(opening.handbook, why)
                // Otherwise nothing is lost: the next run, or the person, tries again.
                emptySet()
            }
        }

        /** Syncs, and says what is new since. */
        suspend fun sync(handbook: MemberHandbook): Set<News> {
            if (handbook.joined() == null) return emptySet()
            val before = handbook.home.view().read()
            handbook.sync()
            return newsBetween(before, handbook.home.view().read())
        }
    }
}

/** What waits now and did not before. */
fun newsBetween(
    before: HomeView,
    after: HomeView,
): Set<News> =
    buildSet {
        if ((after.waiting.filter { it.isAboutNotice() } - before.waiting.toSet()).isNotEmpty()) add(News.Meeting)
        if ((after.documents() - before.documents()).isNotEmpty()) add(News.Document)
    }

private fun WaitingItem.isAboutNotice() = this is WaitingItem.Acknowledge || this is WaitingItem.Answer

private fun HomeView.documents(): Set<DocumentKey> = newDocuments.map { it.document }.toSet()
