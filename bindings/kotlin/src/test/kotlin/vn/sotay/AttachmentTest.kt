package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.client.AttachmentForm
import vn.sotay.client.DocumentForm
import vn.sotay.client.HandbookException
import vn.sotay.client.SectionForm
import vn.sotay.documents.Documents
import vn.sotay.model.ConfidentialityLevel
import vn.sotay.model.DocumentKey
import vn.sotay.model.DocumentKind
import vn.sotay.model.Fault
import vn.sotay.model.Field
import vn.sotay.model.Rejection
import java.nio.file.Files
import java.nio.file.Path
import java.time.LocalDate
import kotlin.random.Random
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** Attachments from one phone to another. */
class AttachmentTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()
    private val file: Path = Files.createTempFile("sotay", ".pdf")

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
        Files.deleteIfExists(file)
    }

    private suspend fun phone(name: String) = Phone.joined(name, server).also { phones += it }

    private val form =
        DocumentForm(
            title = "Nghị quyết mẫu",
            number = null,
            issuer = "Chi ủy mẫu",
            kind = DocumentKind.Resolution,
            level = ConfidentialityLevel.Internal,
            issuedOn = LocalDate.of(2026, 11, 1),
            forMeeting = null,
            sections = listOf(SectionForm("1", "Mục", "Xem tệp đính kèm.")),
        )

    private suspend fun Documents.attachment(document: DocumentKey) = document(document).read().attachments.single()

    private val attachment get() = AttachmentForm("Nghị quyết.pdf", "application/pdf", file.toString())

    @Test
    fun `an attachment is fetched, checked and read a part at a time`() =
        runBlocking<Unit> {
            val bytes = Random(7).nextBytes(1_300_000)
            Files.write(file, bytes)
            val secretary = phone("secretary").handbook
            val document = secretary.documents.publish(form, listOf(attachment))
            Files.delete(file)
            secretary.sync()

            val documents = phone("a").handbook.documents
            val before = documents.attachment(document)
            assertEquals("Nghị quyết.pdf" to 1_300_000u, before.name to before.size)
            assertFalse(before.ready)
            assertFailsWith<HandbookException.NotHere> { documents.readAttachment(document, 0) }

            documents.pinAttachment(document, 0)
            assertEquals(1, documents.fetchPinnedAttachments())
            documents.fetchAttachment(document, 0)
            assertTrue(documents.attachment(document).ready)
            val first = documents.readAttachment(document, 0)
            assertContentEquals(bytes, first + documents.readAttachment(document, 0, first.size))
            assertEquals(1_300_000L, documents.attachmentStorage().used)
            assertFailsWith<HandbookException.StorageFull> { documents.setAttachmentQuota(1_000) }
        }

    @Test
    fun `a file of another kind is refused`() =
        runBlocking<Unit> {
            Files.write(file, ByteArray(10))
            val documents = phone("secretary").handbook.documents
            val program = attachment.copy(mediaType = "application/x-sh")
            val refused = assertFailsWith<HandbookException.Refused> { documents.publish(form, listOf(program)) }
            assertEquals(Rejection.Invalid(Field.Attachments, Fault.UnknownValue), refused.why)
        }
}
