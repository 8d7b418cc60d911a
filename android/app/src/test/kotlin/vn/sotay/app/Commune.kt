package vn.sotay.app

import kotlinx.coroutines.runBlocking
import org.json.JSONObject
import vn.sotay.MemberHandbook
import vn.sotay.client.DeviceSigner
import vn.sotay.client.NoticeForm
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import java.nio.file.Files
import java.time.Duration
import java.time.Instant
import java.util.concurrent.TimeUnit

/** An invented commune on a real server process (tests/scenarios/README.md), and other people's phones beside the app. */
class Commune : AutoCloseable {
    private val process =
        ProcessBuilder(System.getProperty("sotay.scenarioServer"), System.getProperty("sotay.commune"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .also { it.environment()["SOTAY_SERVER"] = System.getProperty("sotay.server") }
            .start()
    private val answers = process.inputStream.bufferedReader()
    private val names: JSONObject
    private val phones = ArrayList<MemberHandbook>()
    private val place = Files.createTempDirectory("sotay-commune")

    init {
        val line = checkNotNull(answers.readLine()) { "no line from scenario-server" }
        names = JSONObject(line).getJSONObject("names")
    }

    fun name(name: String): String = names.getString(name)

    /** A phone on which nobody has joined. */
    fun emptyPhone(signer: DeviceSigner? = null): MemberHandbook =
        runBlocking {
            val folder = Files.createDirectory(place.resolve("phone ${phones.size}")).toString()
            MemberHandbook.open(folder, MemoryVault(), signer).also { phones += it }
        }

    /** A phone that has joined and fetched everything; its keys are the [signer]'s where there is one. */
    fun phone(
        name: String,
        signer: DeviceSigner? = null,
    ): MemberHandbook =
        emptyPhone(signer).also {
            runBlocking {
                confirm(it.join(name("invitation.$name"), "phone $name").digits)
                it.finishJoining()
                it.sync()
            }
        }

    /** Confirms the phone that shows these digits, or `all` that wait. */
    fun confirm(digits: String) = become("confirm $digits")

    /** Has the server do what the scenarios' README says of this line. */
    fun become(line: String) {
        process.outputStream.write("$line\n".toByteArray())
        process.outputStream.flush()
        check(answers.readLine() == line) { "no answer to $line" }
    }

    override fun close() {
        phones.forEach { it.close() }
        process.outputStream.close()
        if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly()
        place.toFile().deleteRecursively()
    }
}

/** A notice of a meeting that begins in so many minutes. */
fun notice(inMinutes: Long): NoticeForm {
    val start = Instant.now() + Duration.ofMinutes(inMinutes)
    return NoticeForm(
        kind = MeetingKind.Regular,
        title = "Sinh hoạt thường kỳ tháng 12",
        startsAt = start,
        endsAt = start + Duration.ofMinutes(90),
        place = "Nhà văn hóa thôn Mẫu",
        mode = MeetingMode.InRoom,
        agenda = listOf("Đánh giá tháng 11", "Góp ý dự thảo nghị quyết"),
        documents = emptyList(),
        guests = emptyList(),
        answerBy = null,
        absenceBy = null,
    )
}
