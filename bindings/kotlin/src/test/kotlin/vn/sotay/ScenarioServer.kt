package vn.sotay

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.json.JsonMapper
import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertNotNull

/** The commune of a scenario and the server process that serves it (tests/scenarios/README.md). */
class ScenarioServer(
    scenario: File,
) : AutoCloseable {
    private val process =
        ProcessBuilder(System.getProperty("sotay.scenarioServer"), scenario.path)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .also { it.environment()["SOTAY_SERVER"] = System.getProperty("sotay.server") }
            .start()
    private val answers = process.inputReader()
    private val orders = process.outputWriter()
    private val made: JsonNode = json.readTree(assertNotNull(answers.readLine(), "no line from scenario-server"))

    val names: Map<String, String> = made["names"].properties().associate { (name, value) -> name to value.asText() }

    fun name(name: String): String = assertNotNull(names[name], name)

    /** The invitation of a phone that goes through the network which [become] steers by `relay …`. */
    fun invitationThroughRelay(phone: String): String =
        name("invitation.$phone").replace(made["address"].asText(), made["relay"].asText())

    /** Has it stop, start, or answer badly; or its relay fail. */
    fun become(word: String) {
        orders.write("$word\n")
        orders.flush()
        assertEquals(word, answers.readLine())
    }

    override fun close() {
        orders.close()
        if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    companion object {
        val json: JsonMapper = JsonMapper.builder().build()

        val folder: File get() = Path.of(System.getProperty("sotay.scenarios")).toFile()

        /** The cell of the main story, for tests that tell one of their own. */
        fun ofMeeting() = ScenarioServer(File(folder, "meeting.json"))
    }
}
