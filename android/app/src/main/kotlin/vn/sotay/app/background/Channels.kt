package vn.sotay.app.background

import android.Manifest
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.os.Build
import vn.sotay.app.MainActivity
import vn.sotay.app.R

/** What is told while the app is out of sight, each with its own switch in the phone's settings. */
enum class News(
    val channel: String,
    val text: Int,
) {
    Meeting("meetings", R.string.notification_meeting),
    Document("documents", R.string.notification_document),
}

/** Makes both channels; again when the phone's language changes their names. */
fun makeChannels(context: Context) {
    fun channel(
        news: News,
        name: Int,
        about: Int,
        importance: Int,
    ) = NotificationChannel(news.channel, context.getString(name), importance).apply {
        description = context.getString(about)
        lockscreenVisibility = Notification.VISIBILITY_PRIVATE
    }
    context.getSystemService(NotificationManager::class.java)?.createNotificationChannels(
        listOf(
            channel(
                News.Meeting,
                R.string.channel_meetings,
                R.string.channel_meetings_about,
                NotificationManager.IMPORTANCE_HIGH,
            ),
            channel(
                News.Document,
                R.string.channel_documents,
                R.string.channel_documents_about,
                NotificationManager.IMPORTANCE_DEFAULT,
            ),
        ),
    )
}

/** Says that there is news, and nothing of what it says. Silent where the person has not allowed it. */
fun tell(
    context: Context,
    news: News,
) {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU &&
        context.checkSelfPermission(Manifest.permission.POST_NOTIFICATIONS) != PackageManager.PERMISSION_GRANTED
    ) {
        return
    }
    val open =
        PendingIntent.getActivity(
            context,
            0,
            Intent(context, MainActivity::class.java),
            PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT,
        )
    val notification =
        Notification
            .Builder(context, news.channel)
            .setSmallIcon(if (news == News.Meeting) R.drawable.ic_meetings else R.drawable.ic_documents)
            .setContentTitle(context.getString(R.string.app_name))
            .setContentText(context.getString(news.text))
            .setContentIntent(open)
            .setAutoCancel(true)
            .build()
    context.getSystemService(NotificationManager::class.java)?.notify(news.ordinal, notification)
}
