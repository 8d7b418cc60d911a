package vn.sotay.app

import android.content.Context
import android.content.res.Configuration
import android.content.res.Resources
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import vn.sotay.app.text.dateTime
import vn.sotay.app.text.dateTimeSpan
import vn.sotay.app.text.difference
import vn.sotay.app.text.sentence
import vn.sotay.client.HandbookException
import vn.sotay.client.NoticeDifference
import vn.sotay.client.ServerFault
import vn.sotay.model.Closing
import vn.sotay.model.Denial
import vn.sotay.model.Fault
import vn.sotay.model.Field
import vn.sotay.model.InvitationFault
import vn.sotay.model.Rejection
import vn.sotay.model.SecrecyMarking
import vn.sotay.model.Subject
import vn.sotay.model.Version
import java.time.Instant
import java.time.LocalDate
import java.time.OffsetDateTime
import java.util.Locale

/** How values are said: dates, differences, errors. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = android.app.Application::class)
class TextTest {
    private fun resources(language: String): Resources {
        val context: Context = RuntimeEnvironment.getApplication()
        val configuration =
            Configuration(
                context.resources.configuration,
            ).apply { setLocale(Locale.forLanguageTag(language)) }
        return context.createConfigurationContext(configuration).resources
    }

    private val vietnamese = resources("vi")
    private val english = resources("en")
    private val today = LocalDate.of(2026, 1, 2)

    private fun at(text: String): Instant = OffsetDateTime.parse(text).toInstant()

    /** Times and days have spaces that do not break lines. */
    private fun String.spaced() = replace('\u00A0', ' ')

    @Test
    fun `a meeting's time is said as people say it`() {
        assertEquals("19 giờ 30, thứ Hai 05/01", vietnamese.dateTime(at("2026-01-05T19:30:00+07:00"), today).spaced())
        assertEquals("8 giờ, Chủ nhật 04/01", vietnamese.dateTime(at("2026-01-04T01:00:00Z"), today).spaced())
        assertEquals(
            "19 giờ 05, thứ Ba 05/01/2027",
            vietnamese.dateTime(at("2027-01-05T19:05:00+07:00"), today).spaced(),
        )
        assertEquals("19:30, Monday 05/01", english.dateTime(at("2026-01-05T19:30:00+07:00"), today).spaced())
    }

    @Test
    fun `the day is said once unless the meeting goes past midnight`() {
        val start = at("2026-01-05T19:30:00+07:00")
        assertEquals(
            "19 giờ 30 đến 21 giờ, thứ Hai 05/01",
            vietnamese.dateTimeSpan(start, at("2026-01-05T21:00:00+07:00"), today).spaced(),
        )
        assertEquals(
            "19 giờ 30, thứ Hai 05/01 đến 0 giờ 15, thứ Ba 06/01",
            vietnamese.dateTimeSpan(start, at("2026-01-06T00:15:00+07:00"), today).spaced(),
        )
    }

    @Test
    fun `a change is said as before and after`() {
        val before = at("2026-01-05T19:00:00+07:00")
        val sameDay = vietnamese.difference(NoticeDifference.StartsAt(before, at("2026-01-05T19:30:00+07:00")), today)
        assertEquals("Đã đổi giờ" to listOf("19 giờ → 19 giờ 30"), sameDay.heading to sameDay.lines.map { it.spaced() })
        val otherDay = vietnamese.difference(NoticeDifference.StartsAt(before, at("2026-01-06T19:00:00+07:00")), today)
        assertEquals("Đã đổi ngày giờ", otherDay.heading)
        assertEquals(listOf("19 giờ, thứ Hai 05/01 → 19 giờ, thứ Ba 06/01"), otherDay.lines.map { it.spaced() })
        val agenda = vietnamese.difference(NoticeDifference.Agenda(listOf("Góp ý"), listOf("Văn nghệ")), today)
        assertEquals(listOf("Thêm: Góp ý", "Bỏ: Văn nghệ"), agenda.lines)
    }

    @Test
    fun `every error has a sentence of its own in both languages`() {
        for (resources in listOf(vietnamese, english)) {
            val sentences = errors.associateWith { resources.sentence(it) }
            for ((why, sentence) in sentences) {
                // Two sentences at least, or one and what to do: a bare name of an error helps nobody.
                assertTrue("$why: $sentence", sentence.length > 20 && sentence.trim().last() in ".”")
            }
            val twice = sentences.entries.groupBy({ it.value }, { it.key }).filter { it.value.size > 1 }
            assertEquals(emptyMap<String, Any>(), twice)
        }
        for (why in errors) assertTrue("$why", vietnamese.sentence(why) != english.sentence(why))
    }

    @Test
    fun `facts stand in the sentence`() {
        assertTrue("sotay.example:443" in vietnamese.sentence(HandbookException.ServerUnreachable("sotay.example:443")))
        assertTrue("17" in vietnamese.sentence(HandbookException.KeyLost(17u)))
        val secret = HandbookException.Refused(Rejection.Secret(Field.Title, SecrecyMarking.TopSecret))
        assertTrue("TỐI MẬT" in vietnamese.sentence(secret))
    }

    @Test
    fun `no variant is left out of the list that is tested`() {
        for (type in listOf(HandbookException::class, ServerFault::class, InvitationFault::class, Rejection::class)) {
            val there =
                type.java.declaredClasses
                    .filter { type.java.isAssignableFrom(it) }
                    .map { it.simpleName }
            assertEquals(type.simpleName, emptySet<String>(), there.toSet() - listed(type.java))
        }
        for (code in listOf(
            Denial::class,
            Subject::class,
            Closing::class,
            Field::class,
            Fault::class,
            SecrecyMarking::class,
        )) {
            assertTrue(code.simpleName, objects(code.java).size > 3)
        }
    }

    /** Which variants of a type occur somewhere in the list of errors. */
    private fun listed(type: Class<*>): Set<String> =
        errors
            .flatMap {
                listOf(
                    it,
                    (it as? HandbookException.ServerUnexpected)?.fault,
                    (it as? HandbookException.InvitationUnreadable)?.fault,
                    (it as? HandbookException.Refused)?.why,
                )
            }.filter { type.isInstance(it) }
            .mapNotNull { it?.javaClass?.simpleName }
            .toSet()

    private val errors: List<HandbookException> =
        listOf(
            HandbookException.NotEnrolled(),
            HandbookException.AlreadyEnrolled(),
            HandbookException.InvitationUnusable(),
            HandbookException.ServerUnreachable("a:1"),
            HandbookException.PhoneNotKnown(),
            HandbookException.NotApproved(),
            HandbookException.DigitsMalformed(),
            HandbookException.AppTooOld(),
            HandbookException.UpdateNeeded("1.2.3"),
            HandbookException.NotHere(),
            HandbookException.NewerDatabase(9u, 1u),
            HandbookException.DatabaseUnreadable(2u),
            HandbookException.KeyLocked(),
            HandbookException.KeyFailed(),
            HandbookException.KeyLost(2u),
            HandbookException.PinNeeded(10u),
            HandbookException.PinWrong(9u),
            HandbookException.PinMalformed(),
            HandbookException.WipedAfterTries(2u),
            HandbookException.Unsent(2u),
            HandbookException.Revoked(),
            HandbookException.WrongKey(),
            HandbookException.StorageFull(),
            HandbookException.OutboxFull(20_000u),
            HandbookException.StorageFailed(10),
            HandbookException.InUse(),
            HandbookException.Paused(),
            HandbookException.Cancelled(),
            HandbookException.Internal("7"),
        ) +
            listOf(
                InvitationFault.NotAnInvitation,
                InvitationFault.Host,
                InvitationFault.Length(4u),
                InvitationFault.Symbol(3u),
                InvitationFault.Mistyped,
            ).map { HandbookException.InvitationUnreadable(it) } +
            listOf(
                ServerFault.Html,
                ServerFault.Status(500u),
                ServerFault.Truncated,
                ServerFault.Empty,
                ServerFault.Unreadable,
                ServerFault.TooLarge,
                ServerFault.Untrusted,
                ServerFault.Protocol,
            ).map { HandbookException.ServerUnexpected("a:1", it) } +
            rejections().map { HandbookException.Refused(it) }

    private fun rejections(): List<Rejection> =
        objects(Denial::class.java).map { Rejection.NotAllowed(it) } +
            objects(Subject::class.java).map { Rejection.NotFound(it) } +
            objects(Closing::class.java).map { Rejection.Closed(it, null) } +
            objects(Field::class.java).map { Rejection.Invalid(it, Fault.Empty) } +
            (objects(Fault::class.java) - Fault.Empty).map { Rejection.Invalid(Field.Title, it) } +
            objects(SecrecyMarking::class.java).map { Rejection.Secret(Field.Title, it) } +
            listOf(
                Rejection.Stale(Version(1, 1)),
                Rejection.TooLarge(Field.Title, 500u),
                Rejection.DependsOn(5),
                Rejection.Conflict(2u),
                Rejection.Unmarked(2u),
                Rejection.Expired,
                Rejection.NumberReused,
                Rejection.AlreadyExists,
                Rejection.Removed(Field.Mutation),
            )

    /** The codes that this version knows. */
    private fun <T> objects(type: Class<T>): List<T> =
        type.declaredClasses.filter { type.isAssignableFrom(it) }.mapNotNull { variant ->
            variant.declaredFields
                .firstOrNull { it.name == "INSTANCE" }
                ?.get(null)
                ?.let(type::cast)
        }
}
